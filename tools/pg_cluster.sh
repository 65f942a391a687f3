#!/usr/bin/env bash
# A scratch PostgreSQL below a directory of your choice, for tests, benchmarks and the demo.
#
#   tools/pg_cluster.sh start DIR [setting=value ...]   prints "SOCKET_DIR PORT"
#   tools/pg_cluster.sh stop DIR [fast|immediate]
#
# start makes the cluster when DIR has none, and starts it when it does not run; given settings are
# (re)written each time.  Superuser is `postgres`, authentication `trust`, on a Unix socket only,
# on a free port.  The server runs as `postgres` when this script runs as root, else as its caller.
# PG_BIN names the directory of another version's programs; PG_UNDER=valgrind runs the server under it,
# with one report per process in DIR/valgrind.PID.
set -euo pipefail

bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
die() { printf 'pg_cluster: error: %s\n' "$*" >&2; exit 1; }
[ $# -ge 2 ] || die "usage: $0 start DIR [setting=value ...] | stop DIR [fast|immediate]"
[ -x "$bin/initdb" ] || die "no PostgreSQL programs in $bin (set PG_BIN)"
as_owner=()
owner=$(id -un)
if [ "$(id -u)" = 0 ]; then
    owner=postgres
    getent passwd postgres >/dev/null || die "there is no user postgres to run the server as"
    as_owner=(setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups --)
fi
# A directory of the caller's may be closed to the owner (and / is what the server should run in).
run() { (cd / && "${as_owner[@]}" env LC_ALL=C.UTF-8 "$@"); }

# As root the server is another user's, who may be shut out from here (a home, a directory of mktemp's).
# Its files then live below /var/tmp, and DIR is a link to them.
place() {
    local parent
    [ "$(id -u)" = 0 ] || return 0
    mkdir -p "$(dirname "$1")"
    parent=$(cd "$(dirname "$1")" && pwd -P)
    if run test -x "$parent" || { [ -L "$1" ] && [ -d "$1" ]; }; then return 0; fi
    rm -rf "$1"
    ln -s "$(mktemp -d /var/tmp/holdfast-XXXXXX)" "$1"
}

action=$1
place "$2"
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)
shift 2
data=$dir/data
log=$dir/postgresql.log
running() { [ -s "$data/postmaster.pid" ] && kill -0 "$(head -n 1 "$data/postmaster.pid")" 2>/dev/null; }

start() {
    local socket=$dir port setting
    [ "$(id -u)" != 0 ] || chown "$owner" "$dir"
    # A socket's path has room for 107 bytes, file name included.
    if [ ${#dir} -gt 80 ]; then
        socket=/tmp/holdfast-$(printf '%s' "$dir" | cksum | cut -d' ' -f1)
        mkdir -p "$socket"
        [ "$(id -u)" != 0 ] || chown "$owner" "$socket"
    fi
    if running; then
        sed -n '5p;4p' "$data/postmaster.pid" | { read -r port; read -r socket; echo "$socket $port"; }
        return
    fi
    if [ ! -s "$data/PG_VERSION" ]; then
        rm -rf "$data"
        run "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
            >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; die "initdb failed"; }
        echo "include_if_exists = 'scratch.conf'" >>"$data/postgresql.conf"
    fi
    # A cluster keeps its port over restarts where it can, so that its clients find it again.
    port=$(sed -n 's/^port = //p' "$data/scratch.conf" 2>/dev/null || true)
    if [ -z "$port" ] || ! is_free "$port"; then port=$(free_port); fi
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$socket'"
        echo "port = $port"
        echo "wal_level = logical"
        echo "timezone = 'UTC'"
        for setting in "$@"; do
            printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
        done
    } >"$data/scratch.conf"
    : >>"$log"
    local program=()
    if [ "${PG_UNDER:-}" = valgrind ]; then
        printf '#!/bin/sh\nexec valgrind --quiet --leak-check=no --trace-children=yes --num-callers=40 --log-file=%q/valgrind.%%p %q/postgres "$@"\n' \
            "$dir" "$bin" >"$dir/postgres-under-valgrind"
        chmod 0755 "$dir/postgres-under-valgrind"
        program=(-p "$dir/postgres-under-valgrind")
    fi
    [ "$(id -u)" != 0 ] || chown "$owner" "$data/scratch.conf" "$log"
    # The server must not keep the caller's pipe open: whoever captures our output would wait for ever.
    run "$bin/pg_ctl" start -w -s -t 180 -D "$data" -l "$log" "${program[@]}" >/dev/null 2>&1 ||
        { tail -n 20 "$log" >&2; die "the server did not start; the whole log is $log"; }
    echo "$socket $port"
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# With no TCP listener a port is only part of the socket's name, but clusters of different
# directories may share one client configuration, so each gets a number of its own.
free_port() {
    local port
    for port in $(shuf -i 20000-29999 -n 50); do
        if is_free "$port"; then
            echo "$port"
            return
        fi
    done
    die "found no free port"
}

case $action in
    start) start "$@" ;;
    stop)
        [ -s "$data/postmaster.pid" ] || exit 0
        # A server that is asked while it recovers from a crash may never end; nothing is to be left running.
        run "$bin/pg_ctl" stop -w -s -D "$data" -m "${1:-fast}" >/dev/null ||
            run "$bin/pg_ctl" stop -w -s -D "$data" -m immediate >/dev/null ;;
    *) die "unknown action: $action" ;;
esac

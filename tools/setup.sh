#!/usr/bin/env bash
# Brings a Debian 12 machine to where holdfast builds; does nothing where nothing is missing.
#
#   tools/setup.sh           what the build and the demo need
#   tools/setup.sh --test    and what the tests, lint and benchmarks need
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

command -v apt-get >/dev/null ||
    die "this script installs Debian packages and found no apt-get; on another system install the equivalents of tools/packages.txt by hand"

lists=(tools/packages.txt)
[ "${1:-}" = --test ] && lists+=(tools/packages-test.txt)
missing=()
while IFS=: read -r package command; do
    if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done < <(grep -hv '^#' "${lists[@]}")

if [ ${#missing[@]} -gt 0 ]; then
    sudo=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "these Debian packages are missing and there is no sudo: ${missing[*]} (install them as root, then run this again)"
        sudo=(sudo)
    fi
    say "installing Debian packages: ${missing[*]}"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    { "${sudo[@]}" apt-get update -qq &&
      "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 || { tail -20 "$log" >&2; die "apt-get could not install: ${missing[*]}"; }
fi

pg_config=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
[ -x "$pg_config" ] || die "no pg_config at $pg_config (set PG_CONFIG to that of a PostgreSQL 15 to 18)"
version=$("$pg_config" --version)
case $version in
    "PostgreSQL 15"*|"PostgreSQL 16"*|"PostgreSQL 17"*|"PostgreSQL 18"*) ;;
    *) die "$version is not supported: holdfast needs PostgreSQL 15 to 18 (set PG_CONFIG)" ;;
esac

tools/librdkafka.sh build/deps/librdkafka || say "WARNING: no current librdkafka; the build falls back to the system's, which has known faults"

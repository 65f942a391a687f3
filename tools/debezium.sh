#!/usr/bin/env bash
# Debezium's PostgreSQL connector in Kafka Connect standalone, for the conformance suite and the benchmarks.
#
#   tools/debezium.sh fetch                          jars from Maven into build/deps/debezium
#   tools/debezium.sh run WORKER CONNECTOR...        one Connect worker in the foreground, until it is ended
#
# WORKER is the worker's properties file, each CONNECTOR a JSON or properties file of one connector.
# DEBEZIUM_JAVA_OPTS adds to the options of the JVM.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."

jars=$PWD/build/deps/debezium/lib

say() { printf 'debezium: %s\n' "$*" >&2; }
die() { printf 'debezium: error: %s\n' "$*" >&2; exit 1; }

fetch() {
    cmp -s test/debezium/pom.xml "$jars/.pom" && return
    command -v mvn >/dev/null || die "no mvn on the PATH (make setup-test installs it)"
    say "downloading Debezium's jars (38 MB)"
    rm -rf "$jars" && mkdir -p "$jars"
    local log=$jars/../maven.log
    mvn -q -B -f test/debezium/pom.xml dependency:copy-dependencies \
        -DoutputDirectory="$jars" -DincludeScope=runtime >"$log" 2>&1 || { tail -5 "$log" >&2; die "Maven failed"; }
    cp test/debezium/pom.xml "$jars/.pom"
}

run() {
    [ $# -ge 2 ] || die "run needs a worker's file and at least one connector's"
    fetch
    command -v java >/dev/null || die "no java on the PATH (make setup-test installs it)"
    cd "$here"
    # UTC: whatever upstream takes from the JVM's time zone is what the relay's sessions have.
    # shellcheck disable=SC2086  # the options are words
    exec java -Xmx1g -XX:+UseParallelGC -Duser.timezone=UTC \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
        ${DEBEZIUM_JAVA_OPTS:-} -cp "$jars/*" org.apache.kafka.connect.cli.ConnectStandalone "$@"
}

case ${1:-} in
    fetch) fetch ;;
    run)   shift; run "$@" ;;
    *)     sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64 ;;
esac

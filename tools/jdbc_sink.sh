#!/usr/bin/env bash
# Debezium's JDBC sink connector in Kafka Connect standalone: a consumer of change events for the tests.
#
#   tools/jdbc_sink.sh fetch                          jars from Maven into build/deps/jdbc-sink
#   tools/jdbc_sink.sh run WORKER CONNECTOR...        one Connect worker in the foreground, until it is ended
#
# WORKER is the worker's properties file, each CONNECTOR a JSON or properties file of one connector.
# JDBC_SINK_JAVA_OPTS adds to the options of the JVM.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."

jars=$PWD/build/deps/jdbc-sink/lib
pom=test/debezium/jdbc-sink/pom.xml

say() { printf 'jdbc_sink: %s\n' "$*" >&2; }
die() { printf 'jdbc_sink: error: %s\n' "$*" >&2; exit 1; }

fetch() {
    cmp -s $pom "$jars/.pom" && return
    command -v mvn >/dev/null || die "no mvn on the PATH (make setup-test installs it)"
    say "downloading the JDBC sink's jars (61 MB)"
    rm -rf "$jars" && mkdir -p "$jars"
    local log=$jars/../maven.log
    mvn -q -B -f $pom dependency:copy-dependencies \
        -DoutputDirectory="$jars" -DincludeScope=runtime >"$log" 2>&1 || { tail -5 "$log" >&2; die "Maven failed"; }
    cp $pom "$jars/.pom"
}

run() {
    [ $# -ge 2 ] || die "run needs a worker's file and at least one connector's"
    fetch
    command -v java >/dev/null || die "no java on the PATH (make setup-test installs it)"
    cd "$here"
    # shellcheck disable=SC2086  # the options are words
    exec java -Xmx768m -XX:+UseParallelGC -Duser.timezone=UTC \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
        ${JDBC_SINK_JAVA_OPTS:-} -cp "$jars/*" org.apache.kafka.connect.cli.ConnectStandalone "$@"
}

case ${1:-} in
    fetch) fetch ;;
    run)   shift; run "$@" ;;
    *)     sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64 ;;
esac

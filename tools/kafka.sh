#!/usr/bin/env bash
# One Apache Kafka node (KRaft) below build/, for the tests, the benchmarks and `make demo KAFKA=real`.
#
#   tools/kafka.sh fetch          jars from Maven into build/deps/kafka
#   tools/kafka.sh start [DIR]    start a node whose files are in DIR (default build/kafka); prints its address
#   tools/kafka.sh stop [DIR]     stop it (SIGTERM, SIGKILL after 20 s); its data stay
#   tools/kafka.sh kill [DIR]     kill it with -9
#   tools/kafka.sh status [DIR]   print its address, or fail
#   tools/kafka.sh wipe [DIR]     stop it and remove DIR
#
# Every command may be repeated.  A node keeps its two ports, and its data, until it is wiped, so that
# clients find it again after a stop and a start.  KAFKA_JAVA_OPTS adds to the options of the JVM;
# KAFKA_PROPERTIES adds lines to a new node's server.properties.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."

jars=$PWD/build/deps/kafka/lib
command=${1:-}
case ${2:-} in
    '') node=$PWD/build/kafka ;;
    /*) node=$2 ;;
    *)  node=$here/$2 ;;
esac

say() { printf 'kafka: %s\n' "$*" >&2; }
die() { printf 'kafka: error: %s\n' "$*" >&2; exit 1; }

java_pid() {    # the node's process, if it lives and is still the one that we started
    local pid
    pid=$(cat "$node/pid" 2>/dev/null) || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$node/server.properties" || return 1
    printf '%s' "$pid"
}

fetch() {
    cmp -s test/kafka/pom.xml "$jars/.pom" && return
    command -v mvn >/dev/null || die "no mvn on the PATH (make setup-test installs it)"
    say "downloading Apache Kafka's jars (54 MB)"
    rm -rf "$jars" && mkdir -p "$jars"
    local log=$jars/../maven.log
    mvn -q -B -f test/kafka/pom.xml dependency:copy-dependencies \
        -DoutputDirectory="$jars" -DincludeScope=runtime >"$log" 2>&1 || { tail -5 "$log" >&2; die "Maven failed"; }
    cp test/kafka/pom.xml "$jars/.pom"
}

# Below the ports of outgoing connections, which could take one before the node has started.
free_ports() {
    python3 -c 'import sys; sys.path.insert(0, "test/integration")
from harness.processes import free_ports
print(*free_ports(2))'
}

configure() {
    [ -e "$node/server.properties" ] && return
    local broker controller
    read -r broker controller < <(free_ports)
    mkdir -p "$node"
    cat >"$node/server.properties.new" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$broker,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$broker
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$node/data
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A node that was killed comes back as soon as its old session is over (default: 9 s).
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
${KAFKA_PROPERTIES:-}
EOF
    local random
    random=$(java -cp "$jars/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
    java -cp "$jars/*" kafka.tools.StorageTool format -t "$random" -c "$node/server.properties.new" >"$node/format.log" 2>&1 ||
        { tail -5 "$node/format.log" >&2; die "cannot format $node/data"; }
    printf '127.0.0.1:%s\n' "$broker" >"$node/address"
    mv "$node/server.properties.new" "$node/server.properties"
}

start() {
    fetch
    command -v java >/dev/null || die "no java on the PATH (make setup-test installs it)"
    configure
    if ! java_pid >/dev/null; then
        # KafkaRaftServer alone logs at info: its last line says that the node answers.
        # shellcheck disable=SC2086  # the options are words
        setsid java -Xmx768m -XX:+UseG1GC ${KAFKA_JAVA_OPTS:-} \
            -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
            -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
            -cp "$jars/*" kafka.Kafka "$node/server.properties" >"$node/log" 2>&1 </dev/null &
        echo $! >"$node/pid"
        disown
    fi
    local _
    for _ in $(seq 600); do
        grep -q 'Kafka Server started' "$node/log" && { cat "$node/address"; return; }
        kill -0 "$(cat "$node/pid")" 2>/dev/null || break
        sleep 0.1
    done
    tail -5 "$node/log" >&2
    die "the node did not start (log: $node/log)"
}

end_with() {    # signal
    local pid _
    pid=$(java_pid) || return 0
    kill "-$1" "$pid"
    kill -CONT "$pid" 2>/dev/null || true    # a stopped process does not hear SIGTERM
    for _ in $(seq 200); do
        java_pid >/dev/null || { rm -f "$node/pid"; return; }
        sleep 0.1
    done
    say "process $pid does not end; killing it"
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$node/pid"
}

case $command in
    fetch)  fetch ;;
    start)  start ;;
    stop)   end_with TERM ;;
    kill)   end_with KILL ;;
    status) java_pid >/dev/null && cat "$node/address" || die "no node is running in $node" ;;
    wipe)   end_with KILL; rm -rf "$node" ;;
    *)      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64 ;;
esac

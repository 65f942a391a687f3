"""The broker of a benchmark: one node, with the options that Kafka's start scripts give its JVM."""

import os

from harness.kafka import Node

# kafka-server-start.sh and kafka-run-class.sh.  With a heap that may shrink, the broker collects its young generation every
# three seconds at 1,000 requests a second, in the way of whoever's latency is measured.
JAVA_OPTIONS = ("-Xms1g -Xmx1g -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
                "-XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true")


def start(directory):
    os.environ.setdefault("KAFKA_JAVA_OPTS", JAVA_OPTIONS)
    return Node(directory)

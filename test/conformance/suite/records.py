"""What is in a Kafka node, as bytes, followed while it comes."""

import re
import time
from collections import defaultdict
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, TIMESTAMP_CREATE_TIME, Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from harness.waiting import POLL_S, wait_until

LOOK_S = 1.0  # between two looks for new topics
NOTIFICATIONS = "notifications."  # and a group's name: where its connector tells what becomes of incremental snapshots

_COMPLETED = re.compile(rb'"id":"([^"]+)","type":"COMPLETED","aggregate_type":"Incremental Snapshot"')
_SENTINEL = re.compile(rb"conformance-([a-z0-9_]+)-(\d+)-")


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple  # of (name, bytes or None)
    timestamp_ms: int
    create_time: bool


class Follower:
    """Everything that is in the topics of a node, in the order of each partition."""

    def __init__(self, node):
        self._consumer = Consumer({"bootstrap.servers": node.address, "group.id": "conformance", "enable.auto.commit": False,
                                   "fetch.wait.max.ms": 50, "topic.metadata.refresh.interval.ms": 1000, "log_level": 0})
        self._admin = AdminClient({"bootstrap.servers": node.address, "log_level": 0})
        self._assigned = set()
        self._look_at = 0.0
        self.records = defaultdict(list)  # by topic, then as they came; a partition's are in order
        self.sentinels = set()  # (group, number): those messages are in no case's records
        self.last_snapshot_row = set()  # topics that have it
        self.snapshots_completed = set()  # Debezium's incremental ones, by the id that asked for them

    def poll(self):
        """Take what has come; look for new topics now and then."""
        if time.monotonic() >= self._look_at:
            self._look()
            self._look_at = time.monotonic() + LOOK_S
        if not self._assigned:
            time.sleep(POLL_S)
            return
        for message in self._consumer.consume(10_000, timeout=0.2):
            if message.error() is None:
                self._take(message)

    def _look(self):
        try:
            found = self._consumer.list_topics(timeout=20).topics
        except KafkaException:
            return  # the node is busy; who waits asks again
        new = [(name, p) for name, topic in found.items() if not name.startswith("__consumer")
               for p in topic.partitions if (name, p) not in self._assigned]
        if new:
            self._consumer.incremental_assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in new])
            self._assigned.update(new)

    def _take(self, message):
        sentinel = _SENTINEL.search(message.key() or b"") or _SENTINEL.search(message.value() or b"")
        if sentinel:
            self.sentinels.add((sentinel[1].decode(), int(sentinel[2])))
            return
        if message.topic().startswith(NOTIFICATIONS):
            completed = _COMPLETED.search(message.value())
            if completed:
                self.snapshots_completed.add(completed[1].decode())
            return
        if b'"snapshot":"last"' in (message.value() or b""):
            self.last_snapshot_row.add(message.topic())
        kind, at_ms = message.timestamp()
        self.records[message.topic()].append(Record(
            message.topic(), message.partition(), message.key(), message.value(), tuple(message.headers() or ()), at_ms,
            kind == TIMESTAMP_CREATE_TIME))

    def drain(self):
        """Everything up to the ends as they are now: writers have stopped."""
        self._look()
        ends = wait_until(self._ends, "all partitions have an end", 90)
        while any(self._consumer.position([TopicPartition(t, p)])[0].offset < end for (t, p), end in ends.items() if end > 0):
            self.poll()

    def _ends(self):
        """{(topic, partition): the offset behind its last record}, asked for at once: there are a thousand."""
        asked = self._admin.list_offsets({TopicPartition(t, p): OffsetSpec.latest() for t, p in self._assigned}, request_timeout=20)
        try:
            return {(where.topic, where.partition): answer.result().offset for where, answer in asked.items()}
        except KafkaException:
            self._look()  # one was so new that it had no leader
            return None

    def close(self):
        self._consumer.close()

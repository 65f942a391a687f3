"""Kafka: a real node (tools/kafka.sh) or an address, its topics, and what is in them."""

import os
import signal
import subprocess
import uuid
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from .processes import ROOT
from .waiting import wait_until


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    timestamp_ms: int
    headers: dict = field(hash=False)

    @property
    def id(self):
        return self.headers.get("id")


def _record(message):
    key = message.key()
    return Record(message.topic(), message.partition(), message.offset(), None if key is None else key.decode(),
                  message.value(), message.timestamp()[1],
                  {name: None if value is None else value.decode() for name, value in message.headers() or []})


def _watermarks(consumer, topic, partition):
    """(low, high) of a partition, also of a broker that is just coming back."""
    def ask():
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=5, cached=False)
        except KafkaException as e:
            failed.append(e)
        try:
            consumer.list_topics(topic, timeout=5)  # it may have a new leader
        except KafkaException as e:
            failed.append(e)
        return None
    failed = []
    return wait_until(ask, lambda: f"{topic}/{partition} tells its offsets: {failed[-1]}", 40)


class Topics:
    """What a client sees of a cluster at `address`."""

    def __init__(self, address):
        self.address = address
        self._admin = AdminClient({"bootstrap.servers": address, "log_level": 0, "reconnect.backoff.max.ms": 500})
        self._producer = None

    def create(self, *names, partitions=1, **config):
        """Create topics; one that is there already stays."""
        made = self._admin.create_topics([NewTopic(n, partitions, 1, config=config) for n in names], request_timeout=60)
        for future in made.values():
            try:
                future.result()
            except KafkaException as e:
                if e.args[0].name() != "TOPIC_ALREADY_EXISTS":
                    raise
        for name in names:
            wait_until(lambda name=name: self.partitions(name), f"topic {name} is there", 60)

    def names(self):
        return sorted(self._admin.list_topics(timeout=10).topics)

    def partitions(self, topic):
        """How many partitions a topic has; 0 if there is none of that name."""
        def ask():
            try:
                return self._admin.list_topics(topic, timeout=5)
            except KafkaException as e:
                failed.append(e)
                return None
        failed = []
        known = wait_until(ask, lambda: f"Kafka answers: {failed[-1]}", 40).topics.get(topic)
        return 0 if known is None or known.error is not None else len(known.partitions)

    def delete(self, *names):
        for future in self._admin.delete_topics(list(names)).values():
            future.result()

    def delete_records(self, topic, partition, before):
        for future in self._admin.delete_records([TopicPartition(topic, partition, before)]).values():
            future.result()

    def send(self, topic, key=None, value=None, headers=None, partition=None):
        """Produce one record and wait until it is acknowledged."""
        if self._producer is None:
            self._producer = Producer({"bootstrap.servers": self.address, "enable.idempotence": True, "linger.ms": 0,
                                       "partitioner": "murmur2", "log_level": 0})
        failed = []
        where = {} if partition is None else {"partition": partition}
        self._producer.produce(topic, key=key, value=value, headers=headers or {},
                               on_delivery=lambda error, _: failed.append(error) if error else None, **where)
        if self._producer.flush(30) or failed:
            raise AssertionError(f"could not produce to {topic}: {failed}")

    def consumer(self, isolation="read_committed", **more):
        """A consumer that stores nothing: for assign()."""
        return Consumer({"bootstrap.servers": self.address, "group.id": f"reader-{uuid.uuid4()}",
                         "enable.auto.commit": False, "isolation.level": isolation, "fetch.wait.max.ms": 10,
                         "enable.partition.eof": False, "log_level": 0, **more})

    def end_offsets(self, topic, asking=None):
        """The next offset of each partition.  Who asks often has a consumer() to ask with."""
        consumer = asking or self.consumer()
        try:
            return [_watermarks(consumer, topic, p)[1] for p in range(self.partitions(topic))]
        finally:
            if asking is None:
                consumer.close()

    def count(self, topic):
        return sum(self.end_offsets(topic))

    def read(self, *topics):
        """Every record of these topics, as they are now, in partition and offset order."""
        consumer = self.consumer()
        try:
            left, records = {}, []
            for topic in topics:
                for p in range(self.partitions(topic)):
                    low, high = _watermarks(consumer, topic, p)
                    if high > low:
                        left[topic, p] = high
            consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in left])

            def drained():
                for message in consumer.consume(1000, timeout=0.2):
                    if message.error():
                        continue
                    records.append(_record(message))
                for where in list(left):
                    position = consumer.position([TopicPartition(*where)])[0].offset
                    if position >= left[where]:
                        del left[where]
                return not left
            wait_until(drained, lambda: f"all is read up to {left}", 60)
            return sorted(records, key=lambda r: (r.topic, r.partition, r.offset))
        finally:
            consumer.close()

    def follow(self, *topics):
        """A generator of batches of records from now's beginning on, for live counting; close() it."""
        consumer = self.consumer()
        try:
            consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t in topics for p in range(self.partitions(t))])
            while True:
                yield [_record(m) for m in consumer.consume(1000, timeout=0.05) if not m.error()]
        finally:
            consumer.close()


class Node(Topics):
    """A real Apache Kafka node whose files are in `directory`."""

    def __init__(self, directory):
        self.directory = directory
        self._tool("wipe")
        super().__init__(self._tool("start").strip())

    def _tool(self, command):
        done = subprocess.run([ROOT / "tools/kafka.sh", command, self.directory], capture_output=True, text=True, env=os.environ)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    @property
    def pid(self):
        return int((self.directory / "pid").read_text())

    def start(self):
        self._tool("start")

    def stop(self):
        self._tool("stop")

    def kill(self):
        self._tool("kill")

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def wipe(self):
        self._tool("wipe")

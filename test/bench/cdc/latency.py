"""From a commit to a consumer's hand at a steady rate: PostgreSQL's own timestamp of the commit against the
clock of one consumer, the same for all contestants."""

import threading
import time
from dataclasses import dataclass

import contestants
import pgbench
import producer
import workload
from confluent_kafka import TopicPartition
from harness.waiting import wait_until
from report import percentile

RATE = 1_000


@dataclass
class Round:
    p50_ms: float
    p99_ms: float


class Receiver(threading.Thread):
    """Notes when the record of each key arrives first."""

    def __init__(self, kafka, topic):
        super().__init__(daemon=True)
        self._consumer = kafka.consumer(**{"fetch.wait.max.ms": 5, "fetch.error.backoff.ms": 1})
        self._consumer.assign([TopicPartition(topic, 0, 0)])
        self.arrivals = {}
        self._ended = threading.Event()

    def run(self):
        while not self._ended.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and not message.error():
                self.arrivals.setdefault(int(message.key()), time.time())
        self._consumer.close()

    def stop(self):
        self._ended.set()
        self.join()


def producer_alone(place, topic, seconds, warm_up_s):
    """What Kafka and its consumer take for records that nobody reads from PostgreSQL, beside the same load of it."""
    place.kafka.create(topic, partitions=1)
    receiver = Receiver(place.kafka, topic)
    receiver.start()
    process = producer.start(place.kafka.address, topic, RATE, seconds + warm_up_s)
    try:
        pgbench.run(place, workload.SINGLE, "-c", 4, "-j", 1, "-R", RATE, "-T", seconds + warm_up_s)
        assert process.wait(60) == 0, "the producer failed"
        produced = place.kafka.count(topic)
        wait_until(lambda: len(receiver.arrivals) >= produced, lambda: f"{produced} records; {len(receiver.arrivals)} arrived", 120)
    finally:
        process.kill()
        process.wait()
        receiver.stop()
        place.kafka.delete(topic)
    place.query("TRUNCATE outbox")
    return after_warm_up([(produced_us / 1e6, at) for produced_us, at in receiver.arrivals.items()], warm_up_s)


def after_warm_up(times, warm_up_s):
    """Of pairs (left, arrived) in seconds."""
    began = min(left for left, _ in times)
    took = [(arrived - left) * 1000 for left, arrived in times if left - began >= warm_up_s]
    return Round(percentile(took, 0.5), percentile(took, 0.99))


def measure(place, name, slot, seconds, warm_up_s):
    topic = contestants.topic(slot, "outbox")
    place.kafka.create(topic, partitions=1)
    place.create_slot(slot, contestants.CONTESTANTS[name].plugin)
    reader = contestants.CONTESTANTS[name].reader(place, slot, "outbox", "no_data")
    receiver = Receiver(place.kafka, topic)
    receiver.start()
    try:
        reader.start()
        place.query(workload.SINGLE)
        wait_until(lambda: reader.require_alive() and receiver.arrivals, f"{name}: the first event", 120)
        before = place.value("SELECT last_value FROM number")
        pgbench.run(place, workload.SINGLE, "-c", 4, "-j", 1, "-R", RATE, "-T", seconds + warm_up_s)
        committed = {int(r.n): r.at for r in place.query(
            "SELECT aggregateid AS n, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at FROM outbox "
            "WHERE aggregateid::bigint > %s", before)}
        wait_until(lambda: reader.require_alive() and committed.keys() <= receiver.arrivals.keys(),
                   lambda: f"{name}: {len(committed)} events; {len(receiver.arrivals)} arrived", 120)
        reader.terminate()
    finally:
        receiver.stop()
        reader.kill()
        place.drop_slot(slot)
        place.kafka.delete(topic)
    place.query("TRUNCATE outbox")
    return after_warm_up([(at, receiver.arrivals[n]) for n, at in committed.items()], warm_up_s)


def run(place, readers, seconds, warm_up_s, rounds, say):
    """{name: its rounds} of the producer alone and of the `readers`."""
    workload.live_outbox(place)
    found = {}
    for n in range(1, rounds + 1):
        for name in ("producer", *readers):
            if name == "producer":
                got = producer_alone(place, f"producer_{n}", seconds, warm_up_s)
            else:
                got = measure(place, name, f"{name}_{n}", seconds, warm_up_s)
            found.setdefault(name, []).append(got)
            say(f"round {n}: {name} p50 {got.p50_ms:.2f} ms, p99 {got.p99_ms:.1f} ms")
    return found

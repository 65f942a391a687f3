"""A backlog, or a table, into a topic of one partition, as fast as a contestant goes."""

import time
from dataclasses import dataclass

import contestants
from confluent_kafka import TopicPartition
from harness.waiting import wait_until

START_LIMIT_S = 120
LIMIT_S = 1800

# pg_recvlogical through the server's plugin, and through the extension's with the batches that the relay asks for.
RECVLOGICAL = {"recvlogical": ("pgoutput",), "recvlogical_batches": ("holdfast", "-o", "batch_bytes=65536")}


@dataclass
class Round:
    rate: float  # records a second, from the first in Kafka to the last
    whole_rate: float  # the same from the start of the process
    cpu_us: float | None = None  # of the reader's process per record, from the first to the last
    peak_bytes: int | None = None
    first_s: float | None = None  # from the start of the process to the first record in Kafka


class End:
    """How many records a topic of one partition has."""

    def __init__(self, kafka, topic):
        self._consumer = kafka.consumer()
        self._where = TopicPartition(topic, 0)

    def __call__(self):
        return self._consumer.get_watermark_offsets(self._where, timeout=30, cached=False)[1]

    def close(self):
        self._consumer.close()


def measure(place, name, slot, work, records, snapshot="no_data"):
    """One contestant from the start of its process until `records` are in its topic."""
    topic = contestants.topic(slot, work)
    place.kafka.create(topic, partitions=1)
    if snapshot == "no_data":
        place.copy_slot(slot, contestants.CONTESTANTS[name].plugin)
    reader = contestants.CONTESTANTS[name].reader(place, slot, work, snapshot)
    end = End(place.kafka, topic)
    try:
        began = time.monotonic()
        reader.start()
        seen = wait_until(lambda: reader.require_alive() and end(), f"{name}: the first record", START_LIMIT_S)
        first, first_cpu_s = time.monotonic(), reader.usage()[0]
        wait_until(lambda: end() >= records, lambda: f"{name}: {records} records; {end()} are there", LIMIT_S)
        last = time.monotonic()
        last_cpu_s, peak = reader.usage()
        reader.terminate()
        assert end() == records, f"{name} wrote {end()} records, not {records}, without a disturbance"
    finally:
        reader.kill()
        end.close()
        place.drop_slot(slot)
        place.kafka.delete(topic)
    if seen >= records:  # a small backlog, done before it was looked at
        seen, first_at, first_cpu_s = 0, began, 0.0
    else:
        first_at = first
    return Round((records - seen) / (last - first_at), records / (last - began), (last_cpu_s - first_cpu_s) / (records - seen) * 1e6,
                 peak, first - began)


def backlog(place, work, records, end_lsn, rounds, say):
    """{contestant: [Round]} in turn, pg_recvlogical among them."""
    found = {}
    for n in range(1, rounds + 1):
        for name, how in RECVLOGICAL.items():
            rate = records / place.recvlogical(end_lsn, *how)
            found.setdefault(name, []).append(Round(rate, rate))
            say(f"round {n}: {name} {rate:,.0f}/s")
        in_turn(place, work, records, n, found, say)
    return found


def table(place, work, records, rounds, say):
    found = {}
    for n in range(1, rounds + 1):
        in_turn(place, work, records, n, found, say, snapshot="initial")
    return found


def in_turn(place, work, records, n, found, say, snapshot="no_data"):
    for name in contestants.CONTESTANTS if snapshot == "no_data" else contestants.at_their_best():
        got = measure(place, name, f"{name}_{n}", work, records, snapshot)
        found.setdefault(name, []).append(got)
        say(f"round {n}: {name} {got.rate:,.0f}/s, {got.cpu_us:.2f} us, {got.peak_bytes / 2**20:.0f} MiB, first after {got.first_s:.2f} s")

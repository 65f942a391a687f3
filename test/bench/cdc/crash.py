"""kill -9 in the middle of a drain, and a new process on the same slot: what is lost and what comes twice."""

from dataclasses import dataclass

import contestants
import drain
from confluent_kafka import TopicPartition
from harness.waiting import wait_until


@dataclass
class Round:
    lost: int
    duplicates: int
    written: int  # when it was killed


def distinct_keys(kafka, topic, records):
    consumer = kafka.consumer()
    consumer.assign([TopicPartition(topic, 0, 0)])
    keys, read = set(), 0

    def all_read():
        nonlocal read
        batch = [m for m in consumer.consume(10_000, timeout=1) if not m.error()]
        keys.update(m.key() for m in batch)
        read += len(batch)
        return read >= records
    try:
        wait_until(all_read, lambda: f"{records} records of {topic} are read; {read} are", drain.LIMIT_S)
    finally:
        consumer.close()
    return len(keys)


def measure(place, name, slot, rows):
    topic, marker = contestants.topic(slot, "outbox"), f"{slot}.marker"
    place.kafka.create(topic, marker, partitions=1)
    place.copy_slot(slot, contestants.CONTESTANTS[name].plugin)
    reader = contestants.CONTESTANTS[name].reader(place, slot, "outbox", "no_data")
    end, over = drain.End(place.kafka, topic), drain.End(place.kafka, marker)
    try:
        reader.start()
        wait_until(lambda: reader.require_alive() and end() >= rows / 2, f"{name}: half of the rows", drain.LIMIT_S)
        reader.kill()
        written = end()
        reader.start()
        # The marker is the last row of the backlog; ending the process sends what was before it.
        wait_until(lambda: reader.require_alive() and over(), f"{name}: the last row", drain.LIMIT_S)
        reader.terminate()
        records = end()
        keys = distinct_keys(place.kafka, topic, records)
    finally:
        reader.kill()
        end.close()
        over.close()
        place.drop_slot(slot)
        place.kafka.delete(topic, marker)
    return Round(rows - keys, records - keys, written)


def run(place, rows, say):
    """{contestant: [Round]}, one each, on a backlog as drain.backlog's."""
    place.query("INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('marker', 'marker', 'Marker', '{}')")
    found = {}
    for name in contestants.at_their_best():
        got = measure(place, name, f"{name}_kill", rows)
        found[name] = [got]
        say(f"{name} killed after {got.written:,} records: {got.lost} lost, {got.duplicates:,} twice")
    return found

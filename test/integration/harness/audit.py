"""The checker: compares the tables of a shop with what is in Kafka.  It trusts no log and no metric.

The claims are those of docs/delivery-guarantees.md: nothing lost, nothing invented, a key stays in one
partition and in order, and what is repeated is a contiguous, byte-identical replay.
"""

from dataclasses import dataclass

from .murmur2 import partition_of
from .waiting import wait_until


@dataclass
class Delivery:
    events: int  # distinct events committed, and delivered
    records: int  # records in Kafka
    replays: int  # how often a partition went back to an earlier event

    @property
    def duplicates(self):
        return self.records - self.events


def outbox(shop):
    """{topic: {event id: row}} of everything that was committed."""
    committed = {}
    for row in shop.query("SELECT id::text, aggregatetype, aggregateid, type, payload::text AS payload, headers, created_at"
                          " FROM holdfast.outbox ORDER BY id"):
        committed.setdefault(shop.topic(row.aggregatetype.removeprefix(shop.prefix)), {})[row.id] = row
    return committed


def wait_delivered(shop, timeout_s=60, producers=1):
    """Wait until Kafka has at least as many records per topic as were committed, then audit them."""
    committed = outbox(shop)

    def missing():
        return {t: len(rows) - n for t, rows in committed.items() if (n := shop.kafka.count(t)) < len(rows)}
    wait_until(lambda: not missing(), lambda: f"everything is in Kafka; missing records: {missing()}", timeout_s)
    last = []

    def complete():  # duplicates count as records, so look at the ids as well
        last[:] = shop.kafka.read(*committed)
        have = {r.id for r in last}
        return all(event in have for rows in committed.values() for event in rows)
    wait_until(complete, "every committed event is in Kafka", timeout_s)
    return audit(shop, last, committed, producers)


def audit(shop, records, committed=None, producers=1):
    """Check `records` against the outbox, as it was before they were read; a Delivery.

    Two `producers`, where a frozen relay woke up after another had taken its place, may mix their
    repetitions; what is new is in order all the same.
    """
    committed = committed or outbox(shop)
    committed_since = outbox(shop)
    by_topic = {}
    for record in records:
        by_topic.setdefault(record.topic, []).append(record)
    events = replays = 0
    for topic, rows in committed.items():
        seen = by_topic.get(topic, [])
        foreign = {r.id for r in seen} - set(committed_since[topic])
        assert topic.removeprefix(shop.prefix) in _SHARED or not foreign, f"{topic} has events that nobody committed: {foreign}"
        lost = set(rows) - {r.id for r in seen}
        assert not lost, f"{topic} lost {len(lost)} of {len(rows)} events, for example {sorted(lost)[:3]}"
        ours = [r for r in seen if r.id in rows]
        partitions = shop.kafka.partitions(topic)
        for r in ours:
            row = rows[r.id]
            assert r.key == row.aggregateid, f"event {r.id} has key {r.key}, not {row.aggregateid}"
            assert r.value.decode() == row.payload, f"event {r.id} has another payload than was committed"
            assert r.partition == partition_of(r.key.encode(), partitions), f"key {r.key} is in partition {r.partition}"
        for partition in range(partitions if producers == 1 else 0):
            replays += _replays([r.id for r in ours if r.partition == partition], f"{topic}/{partition}")
        _versions_rise(ours)
        events += len(rows)
    return Delivery(events, sum(1 for r in records if r.id in committed.get(r.topic, ())), replays)


# Topics that others produce to as well.
_SHARED = ("order-failed", "payment-completed", "payment-failed", "order-request")


def _replays(ids, where):
    """How often the sequence goes back.  After going back it must repeat without a gap until it meets
    its own end again, or goes back once more."""
    first_seen, newest, previous, times = {}, -1, -1, 0
    for event in ids:
        if event not in first_seen:
            first_seen[event] = newest = newest + 1
            assert previous == newest - 1, f"{where}: a new event in the middle of a replay: {event}"
        elif first_seen[event] != previous + 1:
            assert first_seen[event] <= previous, f"{where}: a replay leaves out events before {event}"
            times += 1
        previous = first_seen[event]
    return times


def _versions_rise(records):
    """A product's events are committed in the order of the stock row's version."""
    import json
    last, seen = {}, set()
    for r in records:
        if r.id in seen:
            continue
        seen.add(r.id)
        version = json.loads(r.value).get("version")
        if version is not None and r.headers.get("eventType") == "InventoryUpdated":
            assert version > last.get(r.key, -1), f"product {r.key}: version {version} after {last[r.key]} in {r.topic}"
            last[r.key] = version

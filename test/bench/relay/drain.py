"""Drain of a backlog: the relay into a one-partition topic against pg_recvlogical into /dev/null, in
turn, each with a copy of the same slot."""

import statistics
import subprocess
import threading
import time
from dataclasses import dataclass

from harness.postgres import bindir
from harness.processes import as_server_user
from harness.waiting import wait_until
from report import Row

ROWS_PER_TRANSACTION = 1

# An event as the extension writes it: about 250 bytes.
BACKLOG = """
CREATE PROCEDURE pg_temp.backlog(transactions int, rows int) LANGUAGE plpgsql AS $$
BEGIN
    FOR t IN 1 .. transactions LOOP
        INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload)
        SELECT e.id, 'bench', (t * rows + n)::text, 'InventoryReserved', format(
            '{"eventId":"%s","eventType":"InventoryReserved","schemaVersion":1,"occurredAt":"2026-01-01T00:00:00.000000Z",'
            '"orderId":%s,"userId":7,"lines":[{"productId":1,"quantity":3}],"amount":30000,"currency":"KRW"}',
            e.id, t * rows + n)::json
        FROM generate_series(1, rows) AS n, LATERAL (SELECT holdfast.uuid_v7() AS id WHERE n > 0) AS e;
        COMMIT;
    END LOOP;
END $$
"""


@dataclass
class Round:
    rate: float  # events a second
    cpu_us: float = 0  # per event
    peak_bytes: int = 0
    longest_silence_s: float = 0  # between two acknowledgements of the slot


def make_backlog(shop, rows):
    """Fill the outbox behind a slot of its own, `<slot>_origin`; the LSN after it and the mean size."""
    shop.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", f"{shop.slot}_origin")
    with shop.connect("postgres") as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(BACKLOG)
        connection.execute(f"CALL pg_temp.backlog({rows // ROWS_PER_TRANSACTION}, {ROWS_PER_TRANSACTION})")
    shop.query("CHECKPOINT")
    return shop.value("SELECT pg_current_wal_flush_lsn()"), shop.value("SELECT avg(octet_length(payload::text))::int FROM holdfast.outbox")


def copy_slot(shop, name):
    shop.query("SELECT pg_copy_logical_replication_slot(%s, %s)", f"{shop.slot}_origin", name)


def recvlogical(shop, slot, end_lsn, rows):
    copy_slot(shop, slot)
    began = time.monotonic()
    subprocess.run([*as_server_user(), bindir() / "pg_recvlogical", "-h", shop.cluster.socket_directory, "-p", str(shop.cluster.port),
                    "-U", "postgres", "-d", shop.name, "-S", slot, "--start", "-f", "/dev/null", "-o", "proto_version=1",
                    "-o", "publication_names=holdfast", "-o", "messages=true", "--endpos", end_lsn], check=True, capture_output=True, cwd="/")
    seconds = time.monotonic() - began
    shop.cluster.drop_slot(slot)
    return Round(rows / seconds)


class SlotWatch(threading.Thread):
    """Looks at the slot's acknowledged position all the time, for the longest time without a change."""

    def __init__(self, shop, slot):
        super().__init__(daemon=True)
        self._connection = shop.connect("postgres")
        self._slot = slot
        self.ended = threading.Event()
        self.longest_s = 0.0

    def run(self):
        last, since = None, time.monotonic()
        while not self.ended.wait(0.02):
            lsn = self._connection.execute("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = %s",
                                           (self._slot,)).fetchone()[0]
            now = time.monotonic()
            if lsn != last:
                last, since = lsn, now
            self.longest_s = max(self.longest_s, now - since)
        self._connection.close()


def relay_round(shop, slot, rows):
    copy_slot(shop, slot)
    shop.kafka.create(f"{slot}.bench", partitions=1)
    relay = shop.relay(slot, postgres={"slot": slot}, outbox={"route.topic.replacement": slot + ".${routedByValue}"}, inbox=[])
    watch = SlotWatch(shop, slot)
    watch.start()
    began = time.monotonic()
    relay.start()
    consumer = shop.kafka.consumer()
    from confluent_kafka import TopicPartition
    end = TopicPartition(f"{slot}.bench", 0)
    wait_until(lambda: consumer.get_watermark_offsets(end, timeout=30, cached=False)[1] >= rows, "drained", 300)
    seconds = time.monotonic() - began
    watch.ended.set()
    watch.join()
    consumer.close()
    cpu_s, peak = relay.usage()
    code, _ = relay.terminate()
    assert code == 0
    assert shop.kafka.count(f"{slot}.bench") == rows, "duplicates in an undisturbed drain"
    shop.cluster.drop_slot(slot)
    return Round(rows / seconds, cpu_s / rows * 1e6, peak, watch.longest_s)


def run(shop, rows, rounds, say):
    say(f"backlog of {rows:,} events")
    end_lsn, size = make_backlog(shop, rows)
    ours, theirs = [], []
    for n in range(1, rounds + 1):
        theirs.append(recvlogical(shop, f"recv_{n}", end_lsn, rows))
        ours.append(relay_round(shop, f"drain_{n}", rows))
        say(f"round {n}: pg_recvlogical {theirs[-1].rate:,.0f}/s, relay {ours[-1].rate:,.0f}/s, "
            f"{ours[-1].cpu_us:.2f} us, {ours[-1].peak_bytes / 2**20:.1f} MiB, silence {ours[-1].longest_silence_s:.2f} s")
    shop.cluster.drop_slot(f"{shop.slot}_origin")
    ratio = statistics.median(o.rate / t.rate for o, t in zip(ours, theirs, strict=True))
    rate = statistics.median(o.rate for o in ours)
    cpu = statistics.median(o.cpu_us for o in ours)
    peak = max(o.peak_bytes for o in ours) / 2**20
    silence = max(o.longest_silence_s for o in ours)
    return [
        Row("drain, relay / `pg_recvlogical`", f"{ratio:.2f}", "≥ 0.8", ratio >= 0.8),
        Row("drain, events/s", f"{rate:,.0f} ({statistics.median(t.rate for t in theirs):,.0f} `pg_recvlogical`)", "", None),
        Row("CPU of the relay per event", f"{cpu:.2f} us", "≤ 6 us", cpu <= 6),
        Row("peak RSS while draining", f"{peak:.1f} MiB", "≤ 64 MiB", peak <= 64),
        Row("longest time between two acknowledgements of the slot", f"{silence:.2f} s", "≤ 1 s", silence <= 1.1),
    ], [f"Drain: {rows:,} outbox rows, payload {size} bytes, {ROWS_PER_TRANSACTION} rows a transaction, {rounds} rounds in turn, from "
        "process start to the last record; acks all, one partition; median of the rounds. The silence includes the start of the process."]

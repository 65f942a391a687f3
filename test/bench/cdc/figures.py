"""What was measured, side by side and as ratios with their targets: on the terminal and in docs/benchmarks.md.
A ratio is the median over the rounds of the ratio within a round."""

import dataclasses
import datetime
import json
import statistics

import charts
import page
import report
from report import Row

NAMES = {"debezium_defaults": "Debezium, defaults", "debezium": "Debezium, tuned", "relay": "holdfast-relay",
         "relay_pgoutput": "holdfast-relay, `pgoutput`", "recvlogical": "`pg_recvlogical`, `pgoutput`",
         "recvlogical_batches": "`pg_recvlogical`, batches", "producer": "a producer alone"}

LATENCIES = {"latency": "latency at 1,000 rows/s", "latency_real_time": "the same, every process in SCHED_RR"}


def dated(rounds):
    """What is kept of a part: {contestant: [its rounds]}, and where and when they were measured."""
    return {"date": datetime.date.today().isoformat(), "machine": page.machine(),
            "rounds": {name: [dataclasses.asdict(r) for r in of_one] for name, of_one in rounds.items()}}


def keep(found):
    """Put the parts of `found` in the place of those in the file that the document and its charts are made of; all of its
    parts.  Those of other sizes or of another machine do not stay beside them."""
    machine = next(iter(found["parts"].values()))["machine"]
    old = json.loads(charts.FIGURES.read_text()) if charts.FIGURES.exists() else found
    same = {name: p for name, p in old["parts"].items() if old["sizes"] == found["sizes"] and p["machine"] == machine}
    kept = {"sizes": found["sizes"], "parts": same | found["parts"]}
    charts.FIGURES.parent.mkdir(parents=True, exist_ok=True)
    charts.FIGURES.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return kept


def rounds(kept, part, name, field):
    of_part = kept["parts"].get(part, {"rounds": {}})["rounds"]
    return [r[field] for r in of_part.get(name, []) if r[field] is not None]


def median(kept, part, name, field):
    values = rounds(kept, part, name, field)
    return statistics.median(values) if values else None


def ratio(kept, part, field, one, other):
    pairs = list(zip(rounds(kept, part, one, field), rounds(kept, part, other, field), strict=False))
    return statistics.median(a / b for a, b in pairs if b) if any(b for _, b in pairs) else None


def least(kept, text, part, field, one, other, target):
    got = ratio(kept, part, field, one, other)
    return [] if got is None else [Row(text, f"{got:.2f}", f"≥ {target:g}", got >= target)]


def share(kept, text, part, field, one, other, target):
    """`one` is to be at most a `target`th of `other`."""
    got = ratio(kept, part, field, other, one)
    return [] if got is None else [Row(text, f"1/{got:.1f}", f"≤ 1/{target}", got >= target)]


def most(kept, text, part, field, target, show, scale=1):
    got = median(kept, part, "relay", field)
    return [] if got is None else [Row(text, show.format(got / scale), "≤ " + show.format(target), got / scale <= target)]


def targets(kept):
    rows = []
    for part, text, faster, of_reader in (("outbox", "outbox drain", 3.5, 0.8), ("changes", "change events drain", 4, 0.6)):
        rows += least(kept, f"{text}, rate: relay / Debezium tuned", part, "rate", "relay", "debezium", faster)
        rows += least(kept, f"{text}, rate from the start of the process: relay / `pg_recvlogical`", part, "whole_rate", "relay", "recvlogical", of_reader)
        rows += least(kept, f"{text}, the same through `pgoutput`", part, "whole_rate", "relay_pgoutput", "recvlogical", of_reader)
        rows += share(kept, f"{text}, CPU per event: relay / Debezium tuned", part, "cpu_us", "relay", "debezium", 8)
        rows += share(kept, f"{text}, peak RSS: relay / Debezium tuned", part, "peak_bytes", "relay", "debezium", 10)
    rows += most(kept, "outbox drain, CPU of the relay per event", "outbox", "cpu_us", 4.5, "{:.2f} us")
    rows += share(kept, "start to first event: relay / Debezium tuned", "outbox", "first_s", "relay", "debezium", 10)
    for part, text in LATENCIES.items():
        rows += share(kept, f"{text}, p50: relay / Debezium tuned", part, "p50_ms", "relay", "debezium", 4)
        rows += share(kept, f"{text}, p99: relay / Debezium tuned", part, "p99_ms", "relay", "debezium", 8)
    rate, twice = median(kept, "outbox", "relay", "rate"), median(kept, "crash", "relay", "duplicates")
    if rate and twice is not None:
        rows.append(Row("events twice after kill -9 in the middle of the drain, in seconds of the drain", f"{twice / rate:.2f} s", "≤ 1.00 s", twice <= rate))
        lost = sum(rounds(kept, "crash", "relay", "lost"))
        rows.append(Row("events lost by it", f"{lost}", "0", lost == 0))
    rows += least(kept, "snapshot, rows/s: relay / Debezium tuned", "snapshot", "rate", "relay", "debezium", 3)
    rows += most(kept, f"{kept['sizes']['transaction_rows']:,} rows in one transaction, peak RSS of the relay", "transaction", "peak_bytes",
                 128, "{:.0f} MiB", 2**20)
    return rows


def side_by_side(kept):
    """Lines of cells: a figure for each contestant."""
    def line(text, part, field, show, scale=1):
        cells = [median(kept, part, name, field) for name in NAMES]
        if any(c is not None for c in cells):
            lines.append([text, *("" if c is None else show.format(c / scale) for c in cells)])
    lines = []
    for part, text in (("outbox", "outbox drain"), ("changes", "change events drain"), ("snapshot", "snapshot"),
                       ("transaction", "one large transaction")):
        line(f"{text}, events/s", part, "rate", "{:,.0f}")
        line(f"{text}, CPU per event", part, "cpu_us", "{:.2f} us")
        line(f"{text}, peak RSS", part, "peak_bytes", "{:.0f} MiB", 2**20)
        line(f"{text}, start to first event", part, "first_s", "{:.2f} s")
    for part, text in LATENCIES.items():
        line(f"{text}, p50", part, "p50_ms", "{:.2f} ms")
        line(f"{text}, p99", part, "p99_ms", "{:.1f} ms")
    line("kill -9 in the middle of the outbox drain: written before", "crash", "written", "{:,.0f}")
    line("kill -9 in the middle of the outbox drain: events twice", "crash", "duplicates", "{:,.0f}")
    line("kill -9 in the middle of the outbox drain: events lost", "crash", "lost", "{:,.0f}")
    return lines


def notes(kept):
    sizes = kept["sizes"]
    return (
        "Debezium 3.7.0.Final in Kafka Connect standalone (Kafka 4.3.0). Tuned: `max.batch.size` 8192, `max.queue.size` 32768, `poll.interval.ms` 5, "
        "producer `linger.ms` 5, `batch.size` 1,000,000, `buffer.memory` 128 MiB, heap 512 MiB, ParallelGC, offsets every 5 s. Defaults: none of these, "
        "and the heap and collector of `connect-standalone.sh`. The broker has those of `kafka-server-start.sh`.",
        f"Contestants in turn in each of {sizes['rounds']} rounds, each on a copy of the same slot; figures are medians, ratios those within a round. Snapshot, large "
        "transaction and kill: one round. acks all, one partition. `pg_recvlogical` reads the same slot position with the same options into "
        "/dev/null, from process start to end, through the server's output plugin, and through the extension's with the batches that the relay asks for.",
        "The relay reads through the extension's output plugin, as it does where it may, and beside that through `pgoutput`, which Debezium reads.",
        "Rates and CPU are from the first record in Kafka to the last (so without the start of the JVM, which \"start to first event\" has); CPU is user and system "
        "time of the reader's process alone.",
        "The relay and `pg_recvlogical` reach PostgreSQL through its Unix socket; Debezium through 127.0.0.1, as JDBC has to. A drain is bounded by the "
        "walsender's one core, which a packet over loopback costs more (less with batches): `HOLDFAST_CDC_HOST=127.0.0.1` shows it.",
        f"Outbox: {sizes['outbox_rows']:,} rows, payload of about 250 bytes, a row a transaction. Change events: {sizes['changes']:,} changes of a table with 20 columns of "
        "mixed types, 5 inserts, 4 updates and a delete a transaction, each delete with a tombstone; JSON without schemas.",
        f"Snapshot: {sizes['snapshot_rows']:,} rows of the same table, `snapshot.mode` initial. Large transaction: {sizes['transaction_rows']:,} inserts into it.",
        f"Latency: one outbox row a transaction from 4 `pgbench` connections at 1,000/s for {sizes['latency_s']} s, after {sizes['warm_up_s']} s to warm up; from PostgreSQL's timestamp of "
        "the commit, which is taken before its flush, to one Python consumer. A producer alone: a process that produces records of that size at that rate beside the same load, "
        "from its call to the same consumer, `linger.ms` 0. SCHED_RR: the same with PostgreSQL, Kafka, the reader, whichever it is, writers and consumer all in the kernel's "
        "real-time class, where a thread that wakes up does not wait for the time slice of one that computes: of a JVM's compiler or collector, an autovacuum, or a service of the machine.",
        "Kill: with -9 when half of the rows are in Kafka, then a new process on the same slot and offsets; the keys in the topic are counted.",
        f"Measured on {measured_on(kept)}.")


def measured_on(kept):
    """Dates, with the parts of each where they differ."""
    dates = {}
    for name, p in kept["parts"].items():
        dates.setdefault(p["date"], []).append(name)
    if len(dates) == 1:
        return next(iter(dates))
    return "; ".join(f"{date}: {', '.join(sorted(parts))}" for date, parts in sorted(dates.items()))


def terminal(kept):
    lines = [["", *(n.strip("`") for n in NAMES.values())], *side_by_side(kept)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    table = "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    return f"{table}\n\n{report.terminal(targets(kept))}"


def write(kept, drawn):
    """Replace the section of docs/benchmarks.md; `drawn` are the names of its charts."""
    head = ["| | " + " | ".join(NAMES.values()) + " |", "|---" * (len(NAMES) + 1) + "|"]
    body = [*head, *("| " + " | ".join(line) + " |" for line in side_by_side(kept)), "", report.markdown(targets(kept)), "",
            *(f"![{title}]({charts.link(name)})" for name, title in charts.TITLES.items() if name in drawn), "", *(f"- {n}" for n in notes(kept))]
    page.write("cdc", "Change data capture, beside Debezium", "make bench-cdc",
               "PostgreSQL, Kafka (one node), readers, writers and the consumer share these cores.", "\n".join(body))

#!/usr/bin/env python3
"""Debezium's PostgreSQL connector and the relay in turn, in one run: the same PostgreSQL and WAL, the same Kafka,
the same topics and one partition each, below build/bench-cdc.

    bench.py                       all parts, the section of docs/benchmarks.md and its charts
    bench.py --only outbox,crash   some of the parts (latency, latency_real_time, outbox, crash, changes, snapshot, transaction);
                                   the document keeps the figures of the others
    bench.py --contestant relay    some of the contestants (relay, relay_pgoutput, debezium, debezium_defaults); writes no document

Other sizes than these, or another host, write no document either.

Sizes and repetitions, from the environment:
    HOLDFAST_CDC_OUTBOX_ROWS      600000    rows of the outbox's backlog
    HOLDFAST_CDC_CHANGES          600000    inserts, updates and deletes of the backlog of changes
    HOLDFAST_CDC_SNAPSHOT_ROWS    2000000   rows of the table that a snapshot reads
    HOLDFAST_CDC_TRANSACTION_ROWS 1000000   rows inserted in one transaction
    HOLDFAST_CDC_LATENCY_S        30        seconds of measured latency
    HOLDFAST_CDC_WARM_UP_S        20        and before them
    HOLDFAST_CDC_ROUNDS           3         every contestant in each; figures are medians
    HOLDFAST_CDC_HOST             (socket)  how the relay reaches PostgreSQL; 127.0.0.1 is Debezium's way
"""

import argparse
import contextlib
import dataclasses
import os
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[1:1] = [str(ROOT / "test/integration"), str(ROOT / "test/bench/relay"), str(ROOT / "test/bench")]

import broker  # noqa: E402
import charts  # noqa: E402
import contestants  # noqa: E402
import crash  # noqa: E402
import drain  # noqa: E402
import figures  # noqa: E402
import latency  # noqa: E402
import scheduling  # noqa: E402
import workload  # noqa: E402
from harness import relay as relay_module  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.processes import leave, run_directory  # noqa: E402
from place import PASSWORD, USER, Place  # noqa: E402

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "track_commit_timestamp": "on"}


@dataclasses.dataclass(frozen=True)
class Sizes:
    outbox_rows: int = 600_000
    changes: int = 600_000
    snapshot_rows: int = 2_000_000
    transaction_rows: int = 1_000_000
    latency_s: int = 30
    warm_up_s: int = 20
    rounds: int = 3

    @classmethod
    def from_environment(cls):
        return cls(**{f.name: int(os.environ.get(f"HOLDFAST_CDC_{f.name.upper()}", f.default)) for f in dataclasses.fields(cls)})


def say(text):
    print(f"  {time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def outbox(place, sizes):
    end_lsn = workload.outbox(place, sizes.outbox_rows)
    return drain.backlog(place, "outbox", sizes.outbox_rows, end_lsn, sizes.rounds, say)


def killed(place, sizes):
    workload.outbox(place, sizes.outbox_rows)
    return crash.run(place, sizes.outbox_rows, say)


def changes(place, sizes):
    transactions = sizes.changes // workload.CHANGES_PER_TRANSACTION
    end_lsn = workload.changes(place, transactions)
    return drain.backlog(place, "mixed", transactions * workload.RECORDS_PER_TRANSACTION, end_lsn, sizes.rounds, say)


def at_rate(place, sizes):
    return latency.run(place, contestants.at_their_best(), sizes.latency_s, sizes.warm_up_s, sizes.rounds, say)


def at_rate_in_real_time(place, sizes):
    readers = [name for name in contestants.at_their_best() if name != "debezium_defaults"]  # which waits for its timers
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(scheduling.real_time(place.kafka.pid))
        except PermissionError:
            say("left out: SCHED_RR takes root, or a limit RLIMIT_RTPRIO of 1 (ulimit -r)")
            return None
        return latency.run(place, readers, sizes.latency_s, sizes.warm_up_s, sizes.rounds, say)


def snapshot(place, sizes):
    workload.table(place, sizes.snapshot_rows)
    return drain.table(place, "mixed", sizes.snapshot_rows, 1, say)


def transaction(place, sizes):
    end_lsn = workload.one_transaction(place, sizes.transaction_rows)
    return drain.backlog(place, "mixed", sizes.transaction_rows, end_lsn, 1, say)


# Latency comes first: what drains leave behind, pages to write back and topics whose files go a minute later, is in its way.
PARTS = {"latency": at_rate, "latency_real_time": at_rate_in_real_time, "outbox": outbox, "crash": killed, "changes": changes,
         "snapshot": snapshot, "transaction": transaction}


def names(known):
    """An argument that is names out of `known`, separated by commas."""
    def read(text):
        found = text.split(",")
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(known)}")
        return found
    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--relay", type=Path, default=ROOT / "build/release/bin/holdfast-relay")
    parser.add_argument("--only", type=names(PARTS), default=list(PARTS))
    parser.add_argument("--contestant", type=names(contestants.CONTESTANTS), default=list(contestants.CONTESTANTS))
    options = parser.parse_args()
    relay_module.BINARY = options.relay.resolve()
    everyone = set(options.contestant) == set(contestants.CONTESTANTS)
    contestants.CONTESTANTS = {n: c for n, c in contestants.CONTESTANTS.items() if n in options.contestant}
    sizes = Sizes.from_environment()

    directory = run_directory("bench-cdc")
    cluster, kafka, results, failed = Cluster(directory / "postgres", SETTINGS).create(), None, {}, []
    try:
        cluster.start()
        cluster.admin(f"CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        cluster.allow_output_plugin("postgres", USER)
        kafka = broker.start(directory / "kafka")
        for part, run in PARTS.items():
            if part not in options.only:
                continue
            say(part)
            try:
                with Place(cluster, kafka, f"cdc_{part}", directory / part) as place:
                    rounds = run(place, sizes)
                if rounds is not None:
                    results[part] = rounds
            except Exception:  # noqa: BLE001  the other parts are worth their time all the same
                traceback.print_exc()
                failed.append(part)
    finally:
        if kafka is not None:
            kafka.wipe()
        cluster.remove()
        leave(directory)
    if results:
        found = {"sizes": dataclasses.asdict(sizes), "parts": {part: figures.dated(rounds) for part, rounds in results.items()}}
        print(figures.terminal(found))
        if everyone and sizes == Sizes() and contestants.HOST is None:
            kept = figures.keep(found)
            figures.write(kept, charts.draw(kept))
    if failed:
        print(f"bench-cdc: these parts failed, and the document has nothing new of them: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Benchmarks of the relay on a real PostgreSQL and a real Kafka below build/bench.

    bench.py                          all of it, and the table in docs/benchmarks.md
    bench.py --only drain             one part (drain, latency, saga, load, intake); writes no document
    bench.py --quick                  smaller and shorter, to see that it works; writes no document
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[1:1] = [str(ROOT / "test/integration"), str(ROOT / "test/bench")]

import broker  # noqa: E402
import drain  # noqa: E402
import intake  # noqa: E402
import latency  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
import saga  # noqa: E402
from harness import relay as relay_module  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.processes import leave, run_directory  # noqa: E402
from harness.shop import Shop  # noqa: E402

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "autovacuum": "on",
            "track_commit_timestamp": "on"}


def say(text):
    print(f"  {time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--relay", type=Path, default=ROOT / "build/release/bin/holdfast-relay")
    parser.add_argument("--only", choices=("drain", "latency", "saga", "load", "intake"), action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    relay_module.BINARY = options.relay.resolve()
    scale = 20 if options.quick else 1
    rounds = 1 if options.quick else options.rounds

    directory = run_directory("bench")
    rows, notes = [], []
    cluster = Cluster(directory / "postgres", SETTINGS).create()
    kafka = None
    try:
        cluster.start()
        cluster.create_template("template_holdfast")
        kafka = broker.start(directory / "kafka")
        for part, run in (
                ("drain", lambda shop: drain.run(shop, options.rows // scale, rounds, say)),
                ("latency", lambda shop: latency.run(shop, 20 if not options.quick else 5, say)),
                ("saga", lambda shop: saga.run(shop, 60_000 // scale, 200_000 // scale, 300 // min(scale, 10), say)),
                ("load", lambda shop: load.run(shop, 60 if not options.quick else 10, say)),
                ("intake", lambda shop: intake.run(shop, 60_000 // scale, 5, say))):
            if options.only and part not in options.only:
                continue
            say(part)
            # In topics that the parts before have left full, the payment service would answer their orders first.
            prefix = "load." if part == "load" else ""
            shop = Shop(cluster, kafka, f"bench_{part}", directory / "logs", template="template_holdfast", partitions=4, prefix=prefix)
            try:
                more, words = run(shop.open())
            finally:
                shop.close()
            rows += more
            notes += words
    finally:
        if kafka is not None:
            kafka.wipe()
        cluster.remove()
        leave(directory)
    print(report.terminal(rows))
    if not options.only and not options.quick:
        report.write(rows, notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())

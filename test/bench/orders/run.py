#!/usr/bin/env python3
"""Orders per second: place_order_item against the same logic in one PL/pgSQL function, as ratios.

All workloads of a round run one after the other, and rounds repeat, so that a slow minute of the
machine meets all of them; a ratio is the median over the rounds of the ratio within a round.  Runs its own
scratch cluster below build/; needs the extension installed.

    run.py [--rounds 5] [--seconds 5] [--clients 32,100] [--document]
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import page  # noqa: E402

ROOT = HERE.parents[2]
CLUSTER = ROOT / "build" / "bench-orders"
BIN = pathlib.Path(os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin"))
SETTINGS = ("shared_buffers=1GB", "max_connections=300", "fsync=on", "synchronous_commit=on",
            "max_wal_size=8GB", "checkpoint_timeout=30min")
WORKLOADS = ("ours_spread", "plpgsql_spread", "ours_hot", "plpgsql_hot", "ours_refused")

# (text, dividend, divisor, target by number of clients)
RATIOS = (
    ("hot / spread, ours", "ours_hot", "ours_spread", {32: 0.75, 100: 0.75}),
    ("ours / PL/pgSQL, 10,000 products", "ours_spread", "plpgsql_spread", {32: 1.3, 100: 1.3}),
    ("ours / PL/pgSQL, one hot product", "ours_hot", "plpgsql_hot", {32: 1.8, 100: 4.0}),
    ("refusals without a write / orders on 10,000 products", "ours_refused", "ours_spread",
     {32: 5.0, 100: 5.0}),
    ("refusals without a write / orders on the hot product", "ours_refused", "ours_hot",
     {32: 5.0, 100: 5.0}),
)

CATALOGUE = """
DROP SCHEMA IF EXISTS bench CASCADE;
DROP EXTENSION IF EXISTS holdfast CASCADE;
CREATE EXTENSION holdfast;
INSERT INTO holdfast.product (product_id, name, unit_price) SELECT i, 'product ' || i, 1000 FROM generate_series(1, 10001) i;
INSERT INTO holdfast.stock (product_id, on_hand) SELECT i, CASE WHEN i <= 10000 THEN 1000000000 ELSE 0 END FROM generate_series(1, 10001) i;
"""


def cluster(*arguments):
    done = subprocess.run([ROOT / "tools" / "pg_cluster.sh", *map(str, arguments)],
                          check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


def psql(environment, *arguments):
    subprocess.run([BIN / "psql", "-qX", "-v", "ON_ERROR_STOP=1", *arguments],
                   check=True, env=environment, stderr=subprocess.DEVNULL)


def measure(environment, workload, clients, seconds):
    """Transactions per second; an error of a client ends the benchmark."""
    settings = dict(environment)
    if workload == "ours_refused":
        settings["PGOPTIONS"] = "-c holdfast.record_refusals=off"
    done = subprocess.run(
        [BIN / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
         "-f", HERE / f"{workload}.pgbench"],
        env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(f"bench: {workload} failed: {done.stderr.strip()[:500]}")
    return float(found.group(1))


def report(results):
    """Markdown tables of rates and ratios; True when every target is met."""
    lines = ["| orders/s, median | " + " | ".join(f"{c} clients" for c in results) + " |",
             "|---|" + "---|" * len(results)]
    for workload in WORKLOADS:
        medians = [statistics.median(r[workload] for r in rounds) for rounds in results.values()]
        lines.append(f"| {workload} | " + " | ".join(f"{m:,.0f}" for m in medians) + " |")
    lines += ["", "| ratio | clients | measured | lowest to highest | target | |", "|---|---|---|---|---|---|"]
    met_all = True
    for text, dividend, divisor, targets in RATIOS:
        for clients, rounds in results.items():
            ratios = [r[dividend] / r[divisor] for r in rounds]
            target = targets.get(clients)
            met = target is None or statistics.median(ratios) >= target
            met_all = met_all and met
            lines.append(f"| {text} | {clients} | {statistics.median(ratios):.2f} |"
                         f" {min(ratios):.2f} to {max(ratios):.2f} |"
                         f" {'' if target is None else f'{target:g}'} | {'met' if met else 'missed'} |")
    return "\n".join(lines), met_all


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", default="32,100")
    parser.add_argument("--document", action="store_true", help="write the tables into docs/benchmarks.md")
    options = parser.parse_args()

    socket, port = cluster("start", CLUSTER, *SETTINGS)
    environment = dict(os.environ, PGHOST=socket, PGPORT=port, PGUSER="postgres", PGDATABASE="postgres")
    results = {}
    try:
        psql(environment, "-c", CATALOGUE, "-f", str(HERE / "reference.sql"))
        for clients in map(int, options.clients.split(",")):
            # Once unmeasured, to fill caches.
            for workload in WORKLOADS:
                measure(environment, workload, clients, 1)
            results[clients] = []
            for number in range(1, options.rounds + 1):
                psql(environment, "-c", "CHECKPOINT")
                rates = {w: measure(environment, w, clients, options.seconds) for w in WORKLOADS}
                results[clients].append(rates)
                print(f"bench: {clients} clients, round {number}: "
                      + ", ".join(f"{w} {rate:,.0f}" for w, rate in rates.items()), flush=True)
    finally:
        cluster("stop", CLUSTER)
    table, met_all = report(results)
    print(table)
    if options.document:
        page.write("orders", "Orders", "make bench-orders",
                   f"pgbench shares these cores; {options.rounds} rounds of {options.seconds} s, every workload in each.", table)
    print("bench: every target met" if met_all else "bench: some targets were missed, see above")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What an order costs when the tables are full: place_order_item and complete_order in a shop with 10,000
orders and in one with 3,000,000, as a ratio.

Both shops are databases of one scratch server below build/.  A round measures the one and then the other
(the next round the other way round), so that a slow minute of the machine meets both; the ratio is taken
within a round.  The small shop is copied anew for each round and so stays small.  Needs the extension
installed, and about 20 GiB on the disk for three million orders.

    run.py [--large 3000000] [--rounds 9] [--orders 10000] [--clients 4] [--document]
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import page  # noqa: E402

ROOT = HERE.parents[2]
CLUSTER = ROOT / "build" / "bench-growth"
BIN = pathlib.Path(os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin"))
SMALL = 10_000
TOLERANCE = 0.10

# Vacuum would come to one round and not to another; its share of an order does not depend on the size of
# a table, because it comes when a share of the table has changed.
SETTINGS = ("shared_buffers=1GB", "max_wal_size=16GB", "checkpoint_timeout=1h", "autovacuum=off")
QUICK_TO_FILL = ("fsync=off", "full_page_writes=off", "maintenance_work_mem=512MB")


def say(text):
    print(f"bench: {time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


class Server:
    """The scratch server; `settings` as in tools/pg_cluster.sh."""

    def __init__(self, *settings):
        self.socket, self.port = self.tool("start", *settings)

    @staticmethod
    def tool(action, *arguments):
        return subprocess.run([ROOT / "tools" / "pg_cluster.sh", action, CLUSTER, *arguments],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.split()

    def stop(self):
        self.tool("stop")

    def environment(self, database):
        return dict(os.environ, PGHOST=self.socket, PGPORT=self.port, PGUSER="postgres", PGDATABASE=database,
                    PGOPTIONS="-c client_min_messages=warning")

    def psql(self, database, *arguments):
        return subprocess.run([BIN / "psql", "-qXAt", "-v", "ON_ERROR_STOP=1", *arguments], check=True,
                              env=self.environment(database), stdout=subprocess.PIPE, text=True).stdout.strip()

    def cpu_s(self):
        """CPU seconds of the server so far: of the postmaster, of its children, and of those that ended."""
        postmaster = int((CLUSTER / "data" / "postmaster.pid").read_text().split()[0])
        ticks = 0
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue  # it has ended
                if int(entry.name) == postmaster:
                    ticks += sum(map(int, stat[11:15]))
                elif int(stat[1]) == postmaster:
                    ticks += sum(map(int, stat[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


def fill(server, database, orders):
    """A shop with so many orders behind it; orders and their events side by side."""
    began = time.monotonic()
    server.psql("postgres", "-c", f"CREATE DATABASE {database}")
    server.psql(database, "-v", f"orders={orders}", "-f", HERE / "catalogue.sql")
    with ThreadPoolExecutor() as pool:
        for part in [pool.submit(server.psql, database, "-f", HERE / name) for name in ("orders.sql", "outbox.sql")]:
            part.result()
    server.psql(database, "-c", "DROP SCHEMA bench CASCADE")
    server.psql(database, "-c", "VACUUM ANALYZE")
    wrong = server.psql(database, "-c", "SELECT count(*) FROM holdfast.reconcile() WHERE expected IS DISTINCT FROM actual")
    held = server.psql(database, "-c", "SELECT count(*) FROM holdfast.orders")
    events = server.psql(database, "-c", "SELECT count(*) FROM holdfast.outbox")
    if (wrong, held) != ("0", str(orders)):
        sys.exit(f"bench: {database} has {held} orders, and reconcile() finds {wrong} differences")
    size = server.psql(database, "-c", "SELECT pg_size_pretty(pg_database_size(current_database()))")
    say(f"{orders:,} orders with {int(events):,} events, {size}, in {time.monotonic() - began:.0f} s")
    return int(events), size


def copy_small(server):
    server.psql("postgres", "-c", "DROP DATABASE IF EXISTS small", "-c", "CREATE DATABASE small TEMPLATE small_template")


def measure(server, database, clients, orders):
    """CPU microseconds of the server per order, bytes of WAL per order, orders a second."""
    # Every measurement writes the pages that it meets as a whole once, as after any checkpoint.
    server.psql("postgres", "-c", "CHECKPOINT")
    wal = "SELECT pg_current_wal_insert_lsn() - '0/0'"
    wal_before = int(server.psql("postgres", "-c", wal))
    before = server.cpu_s()
    done = subprocess.run([BIN / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-t", str(orders // clients),
                           "-f", HERE / "order.pgbench"],
                          env=server.environment(database), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    cpu = server.cpu_s() - before
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or not rate:
        sys.exit(f"bench: pgbench failed: {done.stderr.strip()[:500]}")
    placed = orders // clients * clients
    return cpu / placed * 1e6, (int(server.psql("postgres", "-c", wal)) - wal_before) / placed, float(rate.group(1))


def report(rounds, large):
    """The table; True when the cost is flat."""
    lines = [f"| median | {SMALL:,} orders | {large:,} orders | ratio | lowest to highest | target | |", "|---|---|---|---|---|---|---|"]
    flat = True
    for what, column, pattern, target in (("CPU of the server per order", 0, "{:,.0f} us", True),
                                          ("WAL per order", 1, "{:,.0f} bytes", False), ("orders/s", 2, "{:,.0f}", False)):
        small, big = ([r[name][column] for r in rounds] for name in ("small", "large"))
        ratios = [b / s for s, b in zip(small, big, strict=True)]
        ratio = statistics.median(ratios)
        met = abs(ratio - 1) <= TOLERANCE
        flat = flat and (met or not target)
        lines.append(f"| {what} | {pattern.format(statistics.median(small))} | {pattern.format(statistics.median(big))} | {ratio:.2f} |"
                     f" {min(ratios):.2f} to {max(ratios):.2f} |"
                     + (f" 1 ± {TOLERANCE:.2f} | {'met' if met else '**missed**'} |" if target else " | |"))
    return "\n".join(lines), flat


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", type=int, default=3_000_000, help="orders of the large shop")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--orders", type=int, default=10_000, help="orders of one measurement")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--document", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    remove()
    try:
        server = Server(*SETTINGS, *QUICK_TO_FILL)
        fill(server, "small_template", SMALL)
        events, size = fill(server, "large", options.large)
        server.stop()
        server = Server(*SETTINGS)
        rounds = []
        copy_small(server)
        for database in ("small", "large"):  # once unmeasured, to fill caches
            measure(server, database, options.clients, options.orders)
        for number in range(1, options.rounds + 1):
            copy_small(server)
            names = ("small", "large") if number % 2 else ("large", "small")
            rounds.append({name: measure(server, name, options.clients, options.orders) for name in names})
            say(f"round {number}: " + ", ".join(f"{name} {cpu:,.0f} us, {wal:,.0f} bytes, {rate:,.0f}/s" for name, (cpu, wal, rate) in rounds[-1].items()))
    finally:
        remove()
    table, flat = report(rounds, options.large)
    print(table)
    if options.document:
        page.write("growth", "Growth", "make bench-growth",
                   f"One order is `place_order_item` with an idempotency key, and `complete_order`; {options.rounds} rounds of"
                   f" {options.orders:,} orders by {options.clients} `pgbench` clients in each shop, in turn, each after a checkpoint. The large shop has"
                   f" {events:,} events in the outbox and takes {size}.", table)
    print("bench: the cost of an order is flat" if flat else "bench: the cost of an order is not flat, see above")
    return 0


def remove():
    """The server and its files, which are large.  As root, CLUSTER may be a link to where they are."""
    if CLUSTER.exists():
        Server.tool("stop", "immediate")
        shutil.rmtree(CLUSTER.resolve(), ignore_errors=True)
    if CLUSTER.is_symlink():
        CLUSTER.unlink()


if __name__ == "__main__":
    sys.exit(main())

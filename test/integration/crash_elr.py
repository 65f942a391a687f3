#!/usr/bin/env python3
"""No acknowledged order is lost in a crash, although locks are released before the flush.

Buyers on many connections place orders on one hot product and note what the server acknowledged; the
server is stopped with `pg_ctl stop -m immediate` in the middle of it and recovers.  Then every
acknowledged order must be there with its line, reservation and events, and the stock row must agree
with the reservations.  Runs its own scratch cluster below build/; needs the extension installed and
psycopg 3.

    crash_elr.py [--rounds 3] [--buyers 32] [--seconds 2]
"""

import argparse
import pathlib
import subprocess
import sys
import threading
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "build" / "crash-elr"


def cluster(*arguments):
    done = subprocess.run([ROOT / "tools" / "pg_cluster.sh", *map(str, arguments)],
                          check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


def start():
    # A long walwriter delay leaves it to the calls themselves to flush.
    socket, port = cluster("start", CLUSTER, "max_connections=200", "shared_buffers=256MB",
                           "wal_writer_delay=10s", "wal_writer_flush_after=0", "fsync=on")
    return f"host={socket} port={port} user=postgres dbname=postgres"


def buy(dsn, stop, acknowledged, levels):
    """Orders until the connection breaks; each answer that came back is an acknowledgement."""
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not stop.is_set():
                order_id, status, detail = connection.execute(
                    "CALL holdfast.place_order_item(1, 1, 1)").fetchone()
                if status == "PENDING":
                    acknowledged.append(order_id)
                    levels.add(detail["durability"])
    except psycopg.OperationalError:
        pass


def check(connection, acknowledged):
    """Problems, as text."""
    rows = connection.execute(
        """
        SELECT count(*), count(o.order_id), count(l.order_id), count(r.order_id),
               count(*) FILTER (WHERE e.topics = '{inventory-reserved,inventory-updated,order-created}')
        FROM unnest(%s::bigint[]) AS id
        LEFT JOIN holdfast.orders o ON o.order_id = id
        LEFT JOIN holdfast.order_line l ON l.order_id = id
        LEFT JOIN holdfast.reservation r ON r.order_id = id
        LEFT JOIN (SELECT (payload->>'orderId')::bigint AS order_id, array_agg(aggregatetype ORDER BY aggregatetype) AS topics
                   FROM holdfast.outbox GROUP BY 1) e ON e.order_id = id
        """, [acknowledged]).fetchone()
    names = ("acknowledged", "orders", "lines", "reservations", "complete sets of events")
    problems = [f"{rows[0] - found} acknowledged orders without {name}"
                for name, found in zip(names[1:], rows[1:]) if found != rows[0]]
    reserved, held, orders = connection.execute(
        """
        SELECT (SELECT reserved FROM holdfast.stock WHERE product_id = 1),
               (SELECT coalesce(sum(quantity), 0) FROM holdfast.reservation WHERE product_id = 1),
               (SELECT count(*) FROM holdfast.orders)
        """).fetchone()
    if not reserved == held == orders:
        problems.append(f"stock says {reserved} reserved, reservations {held}, orders {orders}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--buyers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()

    dsn = start()
    acknowledged = []
    failed = False
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("DROP EXTENSION IF EXISTS holdfast CASCADE")
            connection.execute("CREATE EXTENSION holdfast")
            connection.execute("CALL holdfast.set_product(1, 'hot', 100, on_hand => 100000000)")
        for number in range(1, options.rounds + 1):
            stop = threading.Event()
            levels = set()
            before = len(acknowledged)
            buyers = [threading.Thread(target=buy, args=(dsn, stop, acknowledged, levels))
                      for _ in range(options.buyers)]
            for buyer in buyers:
                buyer.start()
            time.sleep(options.seconds)
            cluster("stop", CLUSTER, "immediate")
            stop.set()
            for buyer in buyers:
                buyer.join()
            dsn = start()
            with psycopg.connect(dsn, autocommit=True) as connection:
                problems = check(connection, acknowledged)
            if len(acknowledged) == before:
                problems.append("no order was acknowledged at all")
            if levels != {"elr"}:
                problems.append(f"orders were made durable by {sorted(levels)}")
            print(f"crash_elr: crash {number}: {len(acknowledged) - before} acknowledged,"
                  f" {len(acknowledged)} in all: {'; '.join(problems) or 'all there'}")
            failed = failed or bool(problems)
    finally:
        cluster("stop", CLUSTER)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

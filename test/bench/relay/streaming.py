#!/usr/bin/env python3
"""One large transaction through pgoutput, protocol 1 against protocol 2 with streaming: what the server
does for each, without the relay (docs/decisions/0009-protocol-1.md).

    streaming.py [--rows 1000000] [--rounds 2]

Each contestant has a slot of its own.  `live`: pg_recvlogical listens while the transaction runs;
`backlog`: it begins after the commit.  The end is a message that is emitted after the commit.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test/integration"))

from harness.postgres import Cluster, bindir  # noqa: E402
from harness.processes import as_server_user, give_to_server_user, leave, run_directory  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "autovacuum": "off"}
PROTOCOLS = {"1": ("proto_version=1",), "2, streaming": ("proto_version=2", "streaming=on")}
TABLE = """CREATE TABLE event (id bigint PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload text);
           CREATE PUBLICATION bulk FOR TABLE event"""
ROWS = """INSERT INTO event SELECT n, 'bench', (n %% 1000)::text, 'InventoryReserved',
              format('{"eventId":"%%s","eventType":"InventoryReserved","schemaVersion":1,"orderId":%%s,"lines":[%%s]}',
                     md5(n::text), n, repeat('{"productId":1,"quantity":3},', 4)) FROM generate_series(1, %s) AS n"""
MARK = b"end of the bulk"


def cpu_s(pid):
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / 100


def run(cluster, directory, protocol, live, rows):
    slot = f"slot_{time.monotonic_ns()}"
    out = directory / "received"
    out.write_bytes(b"")
    give_to_server_user(out)
    cluster.admin("TRUNCATE event")
    cluster.admin("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", slot)
    receiver = None

    def receive():
        options = [flag for option in ("publication_names=bulk", "messages=true", *PROTOCOLS[protocol]) for flag in ("-o", option)]
        child = subprocess.Popen(
            [*as_server_user(), bindir() / "pg_recvlogical", "-h", cluster.socket_directory, "-p", str(cluster.port), "-U", "postgres",
             "-d", "postgres", "-S", slot, "--start", "-f", out, "-F", "0", "-n", *options], cwd="/", stderr=subprocess.DEVNULL)
        return child, wait_until(lambda: cluster.slot(slot).active_pid, "the slot is in use")

    def arrived():
        with out.open("rb") as file:
            file.seek(max(0, out.stat().st_size - 4096))
            return MARK in file.read()
    try:
        if live:
            receiver, walsender = receive()
        with cluster.connect("postgres", autocommit=False) as connection:
            began = time.monotonic()
            connection.execute(ROWS % rows)
            connection.commit()
            committed = time.monotonic()
        before = out.stat().st_size
        cluster.admin("SELECT pg_logical_emit_message(true, 'mark', %s)", MARK.decode())
        if not live:
            committed = time.monotonic()
            receiver, walsender = receive()
        wait_until(arrived, "everything is received", 300)
        seconds, cpu = time.monotonic() - committed, cpu_s(walsender)
        size = out.stat().st_size
    finally:
        if receiver is not None:
            receiver.terminate()
            receiver.wait()
    # The statistics of a slot are written when it is released.
    stats = wait_until(lambda: [s for s in cluster.admin("SELECT * FROM pg_stat_replication_slots WHERE slot_name = %s", slot)
                                if s.total_txns > 0], "the slot has statistics")[0]
    cluster.drop_slot(slot)
    print(f"{protocol:13} {'live' if live else 'backlog':8} {seconds:6.2f} s from {'commit' if live else 'start'} to last byte   "
          f"walsender {cpu:5.2f} s CPU   transaction {committed - began:5.1f} s   {size / 1e6:5.0f} MB, {before / 1e6:4.0f} before the "
          f"commit   spilled {stats.spill_bytes / 1e6:5.0f} MB ({stats.spill_count}x)   streamed {stats.stream_bytes / 1e6:5.0f} MB",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    directory = run_directory("bench-streaming")
    cluster = Cluster(directory / "postgres", SETTINGS).create()
    try:
        cluster.start()
        cluster.admin(TABLE)
        for _ in range(options.rounds):
            for live in (True, False):
                for protocol in PROTOCOLS:
                    run(cluster, directory, protocol, live, options.rows)
    finally:
        cluster.remove()
        leave(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Where a part of the benchmark runs: a database with the tables of `workload.py`, and the slots on it."""

import shutil
import subprocess
import time

from harness.postgres import bindir
from harness.processes import as_server_user

USER, PASSWORD, PUBLICATION = "cdc", "cdc", "cdc"


class Place:
    def __init__(self, cluster, kafka, name, directory):
        self.cluster = cluster
        self.kafka = kafka
        self.name = name
        self.directory = directory
        shutil.rmtree(directory, ignore_errors=True)  # Debezium's offsets belong to the cluster of their run
        directory.mkdir(parents=True)

    def __enter__(self):
        self.cluster.create_database(self.name)
        self._connection = self.cluster.connect(self.name)
        self.query("CREATE EXTENSION holdfast")
        return self

    def __exit__(self, *_):
        self._connection.close()
        for row in self.cluster.admin("SELECT slot_name FROM pg_replication_slots WHERE database = %s", self.name):
            self.cluster.drop_slot(row.slot_name)
        self.cluster.drop_database(self.name)

    def query(self, statement, *args):
        cursor = self._connection.execute(statement, args or None)
        return cursor.fetchall() if cursor.description else None

    def value(self, statement, *args):
        return self.query(statement, *args)[0][0]

    def create_slot(self, name, plugin="pgoutput"):
        self.query("SELECT pg_create_logical_replication_slot(%s, %s)", name, plugin)

    def copy_slot(self, name, plugin="pgoutput"):
        """Each contestant reads the same WAL through a copy of the slot `origin`."""
        self.query("SELECT pg_copy_logical_replication_slot('origin', %s, false, %s)", name, plugin)

    def drop_slot(self, name):
        self.cluster.drop_slot(name)

    def recvlogical(self, end_lsn, plugin, *options):
        """Seconds that pg_recvlogical takes from the slot's position to `end_lsn`, into /dev/null."""
        self.copy_slot("recvlogical", plugin)
        began = time.monotonic()
        subprocess.run([*as_server_user(), bindir() / "pg_recvlogical", "-h", self.cluster.socket_directory, "-p", str(self.cluster.port),
                        "-U", "postgres", "-d", self.name, "-S", "recvlogical", "--start", "-f", "/dev/null", "-o", "proto_version=1",
                        "-o", f"publication_names={PUBLICATION}", "-o", "messages=true", *options, "--endpos", end_lsn],
                       check=True, capture_output=True, cwd="/")
        seconds = time.monotonic() - began
        self.drop_slot("recvlogical")
        return seconds

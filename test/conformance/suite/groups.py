"""A group: the cases of equal options, in a database of their own, read through a pair of slots.

The database, the topic prefix and the slots carry the group's name.  It comes from the options, so that
it stays when cases come and go; a case that is alone gives its own.
"""

import hashlib
import os
import re
import subprocess

from harness.postgres import bindir

from .cases import DEFAULT_PARTITIONS

PUBLICATION = "conformance"
USER, PASSWORD = "conformance", "conformance"


class ScriptFailed(Exception):
    """psql refused a part of a case."""


class Group:
    def __init__(self, name, cases):
        self.name = name
        self.cases = cases
        self.rounds = max(len(case.steps) for case in cases)
        first = cases[0]
        self.live = any(case.live for case in cases)
        self.halts, self.ends = first.halts, first.ends
        self.publication = first.publication
        self.snapshot = first.options.get("snapshot.mode", "no_data") != "no_data"
        self.incremental = any(case.snapshots for case in cases)
        self.options = {"topic.prefix": name, **first.options}
        self.outboxes = [f"{case.name}.{case.outbox}" for case in cases if case.outbox]
        self.sentinels = 0
        self.step = None  # the newest that was worked through
        self.catalogs = []  # [(LSN, what golden.read_catalog() gave)], where golden files are written

    def slot(self, reader):
        return f"{self.name}_{reader}"

    def snapshots(self, step):
        """The incremental ones that come before it."""
        return [case.snapshots[step] for case in self.cases if step in case.snapshots]

    def sentinel(self, number):
        """Prefix of the message that marks the end of a round."""
        return f"conformance-{self.name}-{number}-"

    def topics(self, connection):
        """{topic: partitions} of its tables as they are, and of its messages.  A table without a key has
        one partition: only there do its records have an order."""
        delimiter = self.options.get("topic.delimiter", ".")
        prefix = self.options["topic.prefix"] + delimiter
        partitions = {case.name: case.partitions for case in self.cases}
        rows = connection.execute(
            "SELECT n.nspname AS schema, c.relname AS name,"
            " EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique) AS keyed"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ANY (%s)",
            [list(partitions)]).fetchall()
        return {f"{self.options['topic.prefix']}.message": 1} | {
            f"{prefix}{row.schema}{delimiter}{row.name}": partitions[row.schema] or (DEFAULT_PARTITIONS if row.keyed else 1)
            for row in rows if re.fullmatch(r"[A-Za-z0-9._-]+", row.name)}


def group(cases, apart=False):
    """The groups of these cases, live ones last; `apart`: one for each."""
    by_name = {}
    for case in cases:
        shared = repr((sorted(case.options.items()), case.publication, case.live, bool(case.snapshots)))
        if apart or case.alone is not None or case.halts is not None or case.outbox is not None:
            name = case.name
        else:
            name = "c" + hashlib.sha256(shared.encode()).hexdigest()[:6]
        by_name.setdefault(name, []).append(case)
    return sorted((Group(name, members) for name, members in by_name.items()), key=lambda g: (g.live, g.name))


def run_script(cluster, database, schema, text):
    """Run a part of a case with psql, which splits statements and understands COPY FROM stdin."""
    done = subprocess.run(
        [bindir() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", cluster.dsn(database)], input=text,
        capture_output=True, text=True, env={**os.environ, "PGOPTIONS": f"-c search_path={schema},public -c client_min_messages=warning"})
    if done.returncode != 0:
        raise ScriptFailed(f"case {schema}: {done.stderr.strip()}")

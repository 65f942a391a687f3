"""One run of the suite: groups are prepared, both readers read them, and each case gets its records."""

import os
import shutil
import time

import psycopg
from harness.kafka import Node
from harness.postgres import Cluster
from harness.waiting import Deadline, wait_until

from . import golden
from . import groups as group_module
from .comparison import shown
from .groups import PASSWORD, PUBLICATION, USER, ScriptFailed, run_script
from .readers import READERS, ReaderFailed

EXTENSIONS = ("hstore", "ltree", "citext", "isn", "dblink", "postgis", "vector")
SETTINGS = {"max_connections": "600", "max_wal_senders": "300", "max_replication_slots": "600", "shared_buffers": "256MB",
            "fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB", "autovacuum": "off", "TimeZone": "UTC"}
TEMPLATE = "conformance_template"
STREAM_S = 180  # until connectors that start one after the other have all started
DONE_S = 60     # between one group's end and the next's
RELAYS_AT_ONCE = 6


class Run:
    """What both readers made of the cases: `of(case)` gives the records of each."""

    def __init__(self, directory, second, say, write_golden=False):
        self.directory = directory
        self._write_golden = write_golden
        self._second_kind = second
        self._say = say
        self._began = time.monotonic()
        self._topics = {}  # name: partitions
        self.broken = {}  # group name: why it gives no records

    def open(self):
        os.environ.setdefault("KAFKA_JAVA_OPTS", "-Xmx1g")
        os.environ["KAFKA_PROPERTIES"] = "auto.create.topics.enable=true\nnum.partitions=3"
        self.cluster = Cluster(self.directory / "postgres", SETTINGS).create().start()
        self.cluster.admin(f"CREATE ROLE {USER} SUPERUSER REPLICATION LOGIN PASSWORD '{PASSWORD}'")
        self.cluster.allow_output_plugin("postgres", USER)
        self.cluster.create_database(TEMPLATE)
        with self.cluster.connect(TEMPLATE) as connection:
            self.extensions = {row.name for row in connection.execute("SELECT name FROM pg_available_extensions")}
            for extension in EXTENSIONS:
                if extension in self.extensions:
                    connection.execute(f"CREATE EXTENSION {extension}")
        self._readers = [READERS[kind](name, self.directory / name, self.cluster, Node(self.directory / f"kafka_{name}"))
                         for name, kind in (("first", "debezium"), ("second", self._second_kind))]
        self.first, self.second = self._readers
        return self

    def close(self):
        for reader in getattr(self, "_readers", []):
            reader.stop()
            reader.node.wipe()
        self.cluster.remove()

    def progress(self, text):
        self._say(f"{time.monotonic() - self._began:6.1f} s  {text}")

    @property
    def against_relay(self):
        return self._second_kind == "relay"

    # ---- the course
    def read(self, cases, apart=False):
        """Run these cases through both readers."""
        can = [c for c in cases if c.requires is None or c.requires in self.extensions]
        self._all_groups = group_module.group(can, apart)
        for group in self._all_groups:
            self._attempt(self._prepare, group)
        # All slots behind all definitions: each reads what is written to the cluster from there on.
        for group in self._all_groups:
            if group.name not in self.broken:
                self._attempt(self._make_slots, group)
        self._groups = [group for group in self._all_groups if group.name not in self.broken]
        # Known topics at once: to have them created one by one, by whoever writes first, takes a minute.
        for reader in self._readers:
            for partitions in set(self._topics.values()):
                reader.node.create(*(t for t, p in self._topics.items() if p == partitions), partitions=partitions)
        # All slots before any workload: a slot waits for transactions that are under way, and there are none.
        plain, live = ([g for g in self._groups if g.live is kind] for kind in (False, True))
        for group in plain:
            self._attempt(self._work, group, 0)
            self._mark(group)
        self.progress(f"{len(self._groups)} groups of {sum(len(g.cases) for g in self._groups)} cases are prepared")
        self.first.start(self._groups)
        if live:
            self.second.start(live)
            self._run_live(live)
        self._wait(self.first, plain)
        self.first.finish()
        self.progress(f"{self.first.name} has read everything")
        batches = [plain] if self._second_kind == "debezium" else [plain[i:i + RELAYS_AT_ONCE] for i in range(0, len(plain), RELAYS_AT_ONCE)]
        if self._second_kind == "debezium":
            self.second.stop()
        for batch in batches:
            self.second.start(batch)
            self._wait(self.second, batch)
            if self._second_kind != "debezium":
                self.second.stop()
        self.second.finish()
        self.write_down()
        if self._write_golden:
            self._write_golden_files()
        self.progress(f"{self.second.name} has read everything")

    def _prepare(self, group):
        self.cluster.create_database(group.name, TEMPLATE)
        with self.cluster.connect(group.name) as connection:
            if (group.snapshot or group.incremental) and self.against_relay:
                connection.execute("CREATE EXTENSION holdfast")
                connection.execute("SELECT holdfast.grant_relay(%s)", [USER])
            for case in group.cases:
                connection.execute(f"CREATE SCHEMA {case.name}")
                if case.schema:
                    run_script(self.cluster, group.name, case.name, case.schema)
            if group.cases[0].alone or group.halts or group.outboxes:
                connection.execute(f"SET search_path = {group.cases[0].name}")
            connection.execute(f"CREATE PUBLICATION {PUBLICATION} {group.publication}")
            self._topics |= group.topics(connection)

    def _make_slots(self, group):
        with self.cluster.connect(group.name) as connection:
            plugins = {reader.name: reader.plugin for reader in self._readers} | ({"golden": "pgoutput"} if self._write_golden else {})
            for name, plugin in plugins.items():
                connection.execute("SELECT pg_create_logical_replication_slot(%s, %s)", [group.slot(name), plugin])

    def _attempt(self, what, group, *args):
        """A case whose SQL fails takes its group with it, not the run."""
        try:
            what(group, *args)
        except (ScriptFailed, psycopg.Error) as e:
            self.broken[group.name] = str(e)

    def _work(self, group, step):
        group.step = step
        for case in group.cases:
            if step < len(case.steps):
                run_script(self.cluster, group.name, case.name, case.steps[step])
        if self._write_golden:
            with self.cluster.connect(group.name) as connection:
                lsn = connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS lsn").fetchone().lsn
                group.catalogs.append((lsn, golden.read_catalog(connection)))

    def _mark(self, group):
        group.sentinels += 1
        with self.cluster.connect(group.name) as connection:
            connection.execute("SELECT pg_logical_emit_message(true, %s, '')", [group.sentinel(group.sentinels)])

    def _run_live(self, live):
        streaming = [g for g in live if g.ends is None]

        def reached():
            self._poll()
            waiting = [g for g in streaming if not all(self._started(reader, g) for reader in self._readers)]
            for group in waiting:
                self._mark(group)
            return not waiting

        # A sentinel that is older than a reader's snapshot is no part of its stream: send until one is seen.
        try:
            wait_until(reached, "the readers stream", STREAM_S)
        except Deadline:
            for group in streaming:
                if not all(self._started(reader, group) for reader in self._readers):
                    self.broken[group.name] = f"its readers did not stream within {STREAM_S} s"
        streaming = [group for group in streaming if group.name not in self.broken]
        self.progress("the live groups stream")
        for step in range(max(group.rounds for group in live)):
            self._snapshot([g for g in streaming if g.snapshots(step)], step)
            working = [g for g in streaming if step < g.rounds]
            for group in working:
                self._attempt(self._work, group, step)
                self._mark(group)
            for reader in self._readers:
                self._wait(reader, working)
        for reader in self._readers:
            self._wait(reader, [g for g in live if g.ends])
        self.progress("the live groups have gone through all steps")

    def _snapshot(self, groups, step):
        """The readers take the incremental snapshots that come before the step, one after the other.

        With read.only, Debezium keeps a chunk back for as long as no table is changed, once it has streamed a
        message that is younger than the chunk; the relay's watermarks are such messages.
        """
        for reader in self._readers:
            for group in groups:
                self._attempt(reader.snapshot, group, group.snapshots(step))
            self._wait(reader, groups, lambda group, reader=reader: reader.snapshot_ended(group) or self._failed(reader, group))

    def _started(self, reader, group):
        """Some sentinel of the group has come, or none will."""
        return any(name == group.name for name, _ in reader.follower.sentinels) or self._done(reader, group)

    def _done(self, reader, group):
        """The reader has come to the group's newest sentinel, or will not come to it any more."""
        if group.name in self.broken:
            return True
        if group.ends == "snapshot":
            seen = any(case.owns(topic) for topic in reader.follower.last_snapshot_row for case in group.cases)
        else:
            seen = (group.name, group.sentinels) in reader.follower.sentinels
        if seen:
            if group.halts and group.step == group.rounds - 1:
                self.broken[group.name] = f"{reader.name} ({type(reader).__name__}) went on where it has to halt: {group.halts}"
            return True
        return self._failed(reader, group)

    def _failed(self, reader, group):
        error = reader.error(group)
        if error is None:
            return False
        if not group.halts:
            self.broken[group.name] = f"{reader.name} ({type(reader).__name__}) has failed: {error}"
        return True

    def _poll(self):
        for reader in self._readers:
            reader.follower.poll()

    def _wait(self, reader, groups, through=None):
        """Until the reader is through with these groups; who has not come when for a while none has is broken."""
        left = list(groups)
        through = through or (lambda group: self._done(reader, group))

        def one_more():
            before = len(left)
            reader.follower.poll()
            left[:] = [group for group in left if group.name not in self.broken and not through(group)]
            return len(left) < before
        while left:
            try:
                wait_until(one_more, "", DONE_S)
            except Deadline:
                self.progress(f"{reader.name} has not come to the end of {', '.join(group.name for group in left)}")
                for group in left:
                    self.broken[group.name] = f"{reader.name} ({type(reader).__name__}) has not come to the end, and no other for {DONE_S} s"
                return

    # ---- results
    def write_down(self):
        """records/CASE.READER: what came of each case, to be looked at or compared by hand."""
        directory = self.directory / "records"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for case in (case for group in self._groups for case in group.cases):
            for reader, topics in zip(self._readers, self.of(case), strict=True):
                lines = []
                for record in (r for topic in sorted(topics) for r in sorted(topics[topic], key=lambda r: r.partition)):
                    headers = " ".join(f"{n}={shown(v)}" for n, v in record.headers)
                    lines.append(f"{record.topic}/{record.partition} {headers}\n  key   {shown(record.key)}\n  value {shown(record.value)}\n")
                (directory / f"{case.name}.{reader.name}").write_text("".join(lines))

    def _write_golden_files(self):
        for group in (g for g in self._groups if g.name not in self.broken):
            with self.cluster.connect(group.name) as connection:
                frames = golden.read_frames(connection, group.slot("golden"))
                for case in (case for case in group.cases if not case.snapshots):  # its rows are no frames
                    golden.write(case, group, self.of(case)[0], frames, connection)

    def group_of(self, case):
        """None: the server lacks what the case requires."""
        return next((g for g in self._all_groups if case in g.cases), None)

    def of(self, case):
        """{topic: records} of a case, as each reader wrote it."""
        return tuple({topic: records for topic, records in reader.follower.records.items() if case.owns(topic)}
                     for reader in self._readers)

    def unclaimed(self):
        """Topics that belong to no case, per reader."""
        cases = [case for group in self._groups for case in group.cases]
        return [sorted(t for t in reader.follower.records if not any(case.owns(t) for case in cases)) for reader in self._readers]

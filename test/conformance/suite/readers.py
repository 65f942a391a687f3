"""The two readers of a slot: Debezium in Connect standalone, and the relay.

Both write to a Kafka node of their own, under the same topic names, because keys and schemas carry them.
"""

import json
import os
import shutil
import urllib.error
import urllib.request

from harness.processes import ROOT, Process, free_ports
from harness.relay import Relay

from .groups import PASSWORD, PUBLICATION, USER
from .records import NOTIFICATIONS, Follower

JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"
EVENT_ROUTER = "io.debezium.transforms.outbox.EventRouter"


class ReaderFailed(AssertionError):
    """A reader ended or halted where it should have gone on; the text says why."""


class Reader:
    """What both have: a node, and what came there."""

    plugin = "pgoutput"  # of its slots

    def __init__(self, name, directory, cluster, node):
        self.name = name
        self.directory = directory
        self.cluster = cluster
        self.node = node
        self.follower = Follower(node)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)

    def finish(self):
        """Stop writing, and read what is left."""
        self.stop()
        self.follower.drain()
        self.follower.close()


class Debezium(Reader):
    """All groups are connectors of one worker, which starts with all of them."""

    def start(self, groups):
        self._rest = free_ports()[0]
        self._states, self._groups, self._asked = {}, groups, {}
        worker = self.directory / "worker.properties"
        worker.write_text("\n".join((
            f"bootstrap.servers={self.node.address}", f"key.converter={JSON_CONVERTER}", f"value.converter={JSON_CONVERTER}",
            f"offset.storage.file.filename={self.directory}/offsets", "offset.flush.interval.ms=60000",
            f"listeners=HTTP://127.0.0.1:{self._rest}", "connector.client.config.override.policy=All",
            "producer.enable.idempotence=true", "")))  # a repeated record would be a difference
        files = []
        for group in groups:
            files.append(self.directory / f"{group.name}.json")
            files[-1].write_text(json.dumps({"name": group.name, "config": self.config(group)}, indent=1))
        self._process = Process([ROOT / "tools/debezium.sh", "run", worker, *files], self.directory / "connect.log")

    def config(self, group):
        config = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "database.hostname": "127.0.0.1", "database.port": str(self.cluster.port), "database.user": USER,
            "database.password": PASSWORD, "database.dbname": group.name, "plugin.name": "pgoutput",
            "slot.name": group.slot(self.name), "publication.name": PUBLICATION, "publication.autocreate.mode": "disabled",
            "snapshot.mode": "no_data", "poll.interval.ms": "20", **group.options}
        if group.snapshot or group.incremental:
            config["schema.exclude.list"] = "holdfast"  # a snapshot of Debezium's looks beyond the publication
        if group.incremental:
            # read.only: no signal table, whose rows would be records that only one reader has.
            config |= {"read.only": "true", "signal.enabled.channels": "file", "signal.file": str(self._signals(group)),
                       "signal.poll.interval.ms": "50", "notification.enabled.channels": "sink",
                       "notification.sink.topic.name": NOTIFICATIONS + group.name, "message.prefix.exclude.list": r"holdfast\.snapshot"}
        if group.outboxes:
            tables = "|".join(table.replace(".", r"\.") for table in group.outboxes)
            config |= {"transforms": "outbox", "transforms.outbox.type": EVENT_ROUTER, "transforms.outbox.predicate": "outbox",
                       "predicates": "outbox", "predicates.outbox.pattern": rf"{config['topic.prefix']}\.({tables})",
                       "predicates.outbox.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"}
        return config

    def snapshot(self, group, snapshots):
        """Ask for incremental snapshots, as one: it is read table by table, and ends once."""
        self._asked[group.name] = f"{group.name}-{group.sentinels}"
        data = {"type": "incremental", "data-collections": [table for s in snapshots for table in s.tables],
                "additional-conditions": [{"data-collection": table, "filter": s.condition}
                                          for s in snapshots if s.condition for table in s.tables]}
        line = json.dumps({"id": self._asked[group.name], "type": "execute-snapshot", "data": data})
        half = self._signals(group).with_suffix(".half")  # the connector looks at any moment, and empties what it has read
        half.write_text(line + "\n")
        os.replace(half, self._signals(group))

    def snapshot_ended(self, group):
        return self._asked[group.name] in self.follower.snapshots_completed

    def _signals(self, group):
        return self.directory / f"{group.name}.signals"

    def error(self, group):
        """Why a connector has failed, or None."""
        if not self._process.running():
            raise ReaderFailed(f"Kafka Connect ended:\n{self._process.tail(40)}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._rest}/connectors/{group.name}/status", timeout=20) as answer:
                status = json.load(answer)
        except (urllib.error.URLError, TimeoutError):
            return None  # the worker has not come to it yet
        failed = [part for part in (status["connector"], *status["tasks"]) if part["state"] == "FAILED"]
        return failed[0].get("trace", "it does not say why") if failed else None

    def stop(self):
        if self._process is not None:
            self._process.terminate(90)

    _process = None


class HoldfastRelay(Reader):
    """A process for each group."""

    plugin = "holdfast"

    def __init__(self, *args):
        super().__init__(*args)
        self._relays = {}

    def start(self, groups):
        for group in groups:
            relay = Relay(self.directory, self.config(group), group.name)
            relay.start()
            self._relays[group.name] = relay

    def config(self, group):
        connector, outbox = {}, {}
        for name, value in group.options.items():
            if name.startswith("transforms.outbox."):
                outbox[name.removeprefix("transforms.outbox.")] = value
            else:
                connector[name] = value
        # A connector has one set of converters; here its outbox has its own, and change events are JSON.
        converters = {"key.converter": JSON_CONVERTER, "value.converter": JSON_CONVERTER,
                      **{name: value for name, value in connector.items() if ".converter" in name}}
        for side in ("key", "value"):
            if connector.get(f"{side}.converter", JSON_CONVERTER) != JSON_CONVERTER:
                connector = {name: value for name, value in connector.items() if not name.startswith(f"{side}.converter")}
        if group.snapshot or group.incremental:
            connector["schema.exclude.list"] = "holdfast"  # its progress is written down there, in a table that is published
        config = {"postgres": {"dsn": f"host=127.0.0.1 port={self.cluster.port} dbname={group.name} user={USER} password={PASSWORD}",
                               "slot": group.slot(self.name), "publication": PUBLICATION},
                  "kafka": {"bootstrap.servers": self.node.address},
                  "connector": {"snapshot.mode": "no_data", **connector}}
        if group.outboxes:
            config["outbox"] = [{"table": table, "table.field.event.headers": "", "table.fields.additional.placement": "",
                                 "route.topic.replacement": "outbox.event.${routedByValue}",
                                 "extended.headers.enabled": connector.get("extended.headers.enabled", True),
                                 "table.json.payload.compatibility": "debezium", **converters, **outbox} for table in group.outboxes]
        return config

    def snapshot(self, group, snapshots):
        """Ask for incremental snapshots, which are taken one after the other."""
        with self.cluster.connect(group.name) as connection:
            for asked in snapshots:
                connection.execute("CALL holdfast.snapshot(%s, %s, slot => %s)",
                                   [", ".join(asked.tables), asked.condition, group.slot(self.name)])

    def snapshot_ended(self, group):
        with self.cluster.connect(group.name) as connection:
            return not connection.execute("SELECT FROM holdfast.snapshot_run WHERE kind = 'incremental' AND finished_at IS NULL").fetchall()

    def error(self, group):
        relay = self._relays[group.name]
        if relay.running() or (group.ends and relay.exit_code() == 0):
            return None
        return f"exit code {relay.exit_code()}:\n{relay.log_text()[-3000:]}"

    def stop_group(self, group):
        relay = self._relays[group.name]
        if relay.running():
            relay.terminate()

    def stop(self):
        for relay in self._relays.values():
            if relay.running():
                relay.terminate()


READERS = {"debezium": Debezium, "relay": HoldfastRelay}

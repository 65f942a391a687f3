"""A real Debezium: one connector in Kafka Connect standalone, with its configuration and its stored offset as files."""

import json
import pathlib
import re
import shutil
import urllib.error
import urllib.request

from .processes import ROOT, Process, free_ports
from .waiting import wait_until


class Debezium:
    """`start` may be called again after it ended: same configuration, same offsets."""

    def __init__(self, directory, cluster, kafka, name, database, user, password, **properties):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.cluster, self.slot, self.name = cluster, name, name
        self.worker_file = self.directory / f"{name}.worker.properties"
        self.connector_file = self.directory / f"{name}.json"
        self.offsets_file = self.directory / f"{name}.offsets"
        self.log = self.directory / f"{name}.log"
        self.port = free_ports()[0]
        self._process = None
        string = "org.apache.kafka.connect.storage.StringConverter"
        self.worker_file.write_text("".join(f"{key}={value}\n" for key, value in {
            "bootstrap.servers": kafka.address,
            "key.converter": string,
            "value.converter": string,
            "offset.storage.file.filename": self.offsets_file,
            "offset.flush.interval.ms": 300,
            "listeners": f"HTTP://127.0.0.1:{self.port}",
            "producer.linger.ms": 1,
        }.items()))
        self.config = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "tasks.max": "1",
            "database.hostname": "127.0.0.1",
            "database.port": str(cluster.port),
            "database.user": user,
            "database.password": password,
            "database.dbname": database,
            "topic.prefix": name,
            "plugin.name": "pgoutput",
            "slot.name": name,
            "publication.name": name,
            "publication.autocreate.mode": "disabled",
            "snapshot.mode": "no_data",
            "poll.interval.ms": "10",
            **properties,
        }
        self.connector_file.write_text(json.dumps({"name": name, "config": self.config}, indent=1))

    def start(self):
        """Until it streams."""
        self._process = Process([ROOT / "tools/debezium.sh", "run", self.worker_file, self.connector_file], self.log,
                                env={"DEBEZIUM_JAVA_OPTS": "-Xmx512m"})

        def streams():
            if not self._process.running():
                raise AssertionError(f"Debezium ended:\n{self._process.tail()}")
            slot = self.cluster.slot(self.slot)
            return slot is not None and slot.active and self._task() == "RUNNING"
        wait_until(streams, lambda: f"Debezium streams:\n{self._process.tail()}", 90)
        return self

    def _task(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/connectors/{self.name}/status", timeout=5) as answer:
                tasks = json.load(answer)["tasks"]
        except (urllib.error.URLError, OSError):
            return None
        if tasks and tasks[0]["state"] == "FAILED":
            raise AssertionError(f"Debezium's task failed: {tasks[0].get('trace', '')[:2000]}")
        return tasks[0]["state"] if tasks else None

    def stop(self):
        """In good order: what was acknowledged is in the stored offset."""
        self._process.terminate(60)
        self._released()

    def kill(self):
        if self._process:
            self._process.kill()
            self._released()

    def _released(self):
        wait_until(lambda: (slot := self.cluster.slot(self.slot)) is None or not slot.active, "the slot is free", 30)

    def offset(self):
        """(key, value) of the stored offset, as Connect's converter wrote them."""
        content = self.offsets_file.read_bytes()
        key = re.search(rb'\["[^"]*",\{"server":"[^"]*"\}\]', content).group()
        value = re.search(rb'\{"[a-zA-Z_]+":(?!"%s").*?\}' % self.name.encode(), content[content.index(key) + len(key):]).group()
        return key, value

    def copy_of_offsets(self, name):
        """The offset file as it is now, under another name."""
        copy = self.directory / name
        shutil.copy(self.offsets_file, copy)
        return copy

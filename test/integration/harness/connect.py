"""Kafka Connect standalone, a worker with connectors in one process: what Debezium's source and sink run in."""

import json
import time
import urllib.error
import urllib.request

from .processes import ROOT, Process, free_ports

ASK_INTERVAL_S = 2.0  # who waits for a record looks often; the worker's REST server would take its part of the CPU

JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"
STRING_CONVERTER = "org.apache.kafka.connect.storage.StringConverter"


class Connect:
    """One worker of `tools/<script>`, with `connectors` as {name: properties}.  `start` may be called
    again after it ended: it goes on at the offsets that it stored."""

    def __init__(self, script, directory, address, connectors, worker=None, env=None):
        self._command = ROOT / "tools" / script
        self._directory = directory
        self._connectors = connectors
        self._env = env
        self._rest = free_ports()[0]
        self._process = None
        self._asked_at = 0.0
        self.log = directory / "connect.log"
        directory.mkdir(parents=True, exist_ok=True)
        properties = {"bootstrap.servers": address, "key.converter": JSON_CONVERTER, "value.converter": JSON_CONVERTER,
                      "offset.storage.file.filename": directory / "offsets", "listeners": f"HTTP://127.0.0.1:{self._rest}",
                      "connector.client.config.override.policy": "All", **(worker or {})}
        self._worker = directory / "worker.properties"
        self._worker.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        self._files = []
        for name, config in connectors.items():
            self._files.append(directory / f"{name}.json")
            self._files[-1].write_text(json.dumps({"name": name, "config": config}, indent=1))
            self._files[-1].chmod(0o600)

    def start(self):
        self._process = Process([self._command, "run", self._worker, *self._files], self.log, env=self._env)
        return self

    def _status(self, name):
        """[(state, trace)] of a connector and its tasks; none while the worker has not come to it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._rest}/connectors/{name}/status", timeout=20) as answer:
                status = json.load(answer)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return []
        return [(part["state"], part.get("trace")) for part in (status["connector"], *status["tasks"])]

    def require_alive(self):
        """Raise with the reason if the worker ended or a connector or a task of it failed."""
        if not self._process.running():
            raise AssertionError(f"Kafka Connect ended:\n{self._process.tail(40)}")
        if time.monotonic() - self._asked_at < ASK_INTERVAL_S:
            return True
        self._asked_at = time.monotonic()
        for name in self._connectors:
            for state, trace in self._status(name):
                if state == "FAILED":
                    raise AssertionError(f"connector {name} failed: {trace}\n{self._process.tail()}")
        return True

    @property
    def pid(self):
        return self._process.pid

    def running(self):
        return self._process is not None and self._process.running()

    def usage(self):
        return self._process.usage()

    def kill(self):
        if self._process is not None:
            self._process.kill()

    def terminate(self):
        if self.running():
            self._process.terminate(90)

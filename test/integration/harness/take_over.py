"""A database whose Debezium connector is replaced by the relay: the connector, the import of its file, the relay."""

import subprocess

from .debezium import Debezium
from .processes import Process, free_ports
from .relay import BINARY
from .waiting import wait_until

USER, PASSWORD = "cdc_user", "not-a-secret"

# A Debezium that takes a few hundred events a second, so that it can be stopped among them.
SLOW = {"max.batch.size": "20", "max.queue.size": "40", "poll.interval.ms": "40"}


def closing(kind, make_shop, directory):
    """The body of a fixture: a function that makes take-overs of a kind, which are closed after the test."""
    made = []

    def make(**properties):
        made.append(kind(make_shop(), directory, **properties))
        return made[-1]
    yield make
    for take_over in made:
        take_over.close()


class TakeOver:
    """What the connector captures, tables and publication, is there when this is made."""

    def __init__(self, shop, directory, **properties):
        self.shop, self.cluster, self.kafka, self.directory = shop, shop.cluster, shop.kafka, directory
        self.name = shop.name
        if not shop.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", USER):
            shop.query(f"CREATE ROLE {USER} LOGIN REPLICATION PASSWORD '{PASSWORD}'")
        shop.query(f"SELECT holdfast.grant_relay('{USER}')")
        self.debezium = Debezium(directory, self.cluster, self.kafka, self.name, shop.name, USER, PASSWORD, **properties)
        self.config_file = directory / "relay.toml"
        self.log = directory / "relay.log"
        self.relay = None

    def take_over(self, *flags, offsets=None, worker=True, output=True):
        offsets = ["--offsets", offsets or self.debezium.offsets_file] if not flags else list(flags)
        return subprocess.run(
            [BINARY, "import-debezium", self.debezium.connector_file, "--take-over", *offsets,
             *(["--worker", self.debezium.worker_file] if worker else []),
             *(["--output", self.config_file] if output else [])], capture_output=True, text=True, timeout=60)

    def run_relay(self):
        port = free_ports()[0]
        self.relay = Process([BINARY, "run", "--config", self.config_file], self.log,
                             env={"HOLDFAST_POSTGRES_PASSWORD": PASSWORD, "HOLDFAST_HTTP_LISTEN": f"127.0.0.1:{port}"})
        return self

    def close(self):
        if self.relay:
            self.relay.kill()
        self.debezium.kill()

    # ---- a topic
    def wait_count(self, topic, count, timeout_s=60):
        def says():
            log = f"\n{self.relay.tail()}" if self.relay else ""
            return f"{topic} has {count} records; it has {self.kafka.count(topic)}{log}"
        wait_until(lambda: self.kafka.count(topic) >= count, says, timeout_s)

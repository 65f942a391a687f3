"""Who reads a slot: Debezium's connector in Connect standalone, tuned and as it comes, and the relay, through the
extension's output plugin as it comes and through the server's.  All
write the same records to topics whose names begin with the slot's, so that rounds do not meet."""

import os

from harness.connect import JSON_CONVERTER, STRING_CONVERTER, Connect
from harness.relay import Relay
from place import PASSWORD, PUBLICATION, USER

HOST = os.environ.get("HOLDFAST_CDC_HOST")  # of PostgreSQL, for the relay; None = its Unix socket

PLACEMENT = "type:header:eventType"

TUNED_WORKER = {"offset.flush.interval.ms": "5000", "producer.linger.ms": "5", "producer.batch.size": "1000000",
                "producer.buffer.memory": "134217728"}
TUNED_CONNECTOR = {"max.batch.size": "8192", "max.queue.size": "32768", "poll.interval.ms": "5"}
TUNED_JAVA = "-Xms512m -Xmx512m"
# As connect-standalone.sh starts it.
DEFAULT_JAVA = "-Xms256m -Xmx2g -XX:-UseParallelGC -XX:+UseG1GC -XX:MaxGCPauseMillis=20"


def topic(slot, work):
    return f"{slot}.order" if work == "outbox" else f"{slot}.public.{work}"


class Debezium:
    plugin = "pgoutput"

    def __init__(self, tuned):
        self._tuned = tuned

    def reader(self, place, slot, work, snapshot):
        connector = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "database.hostname": "127.0.0.1", "database.port": str(place.cluster.port), "database.user": USER,
            "database.password": PASSWORD, "database.dbname": place.name, "topic.prefix": slot, "plugin.name": "pgoutput",
            "slot.name": slot, "publication.name": PUBLICATION, "publication.autocreate.mode": "disabled",
            "snapshot.mode": snapshot, "table.include.list": f"public.{work}", **(TUNED_CONNECTOR if self._tuned else {})}
        if work == "outbox":
            connector |= {
                "key.converter": STRING_CONVERTER, "value.converter": STRING_CONVERTER, "transforms": "outbox",
                "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
                "transforms.outbox.route.topic.replacement": slot + ".${routedByValue}",
                "transforms.outbox.table.fields.additional.placement": PLACEMENT}
        else:
            connector |= {"key.converter": JSON_CONVERTER, "key.converter.schemas.enable": "false",
                          "value.converter": JSON_CONVERTER, "value.converter.schemas.enable": "false"}
        return Connect("debezium.sh", place.directory / slot, place.kafka.address, {slot: connector},
                       worker=TUNED_WORKER if self._tuned else {},
                       env={"DEBEZIUM_JAVA_OPTS": TUNED_JAVA if self._tuned else DEFAULT_JAVA})


class Ours(Relay):
    """The relay, with what the bench asks of a reader beside."""

    def __init__(self, directory, config, name, flags):
        super().__init__(directory, config, name)
        self._flags = flags

    def start(self):
        return super().start(*self._flags)

    def require_alive(self):
        if not self.running():
            raise AssertionError(f"the relay ended with {self.exit_code()}:\n{self.log_text()[-3000:]}")
        return True


class HoldfastRelay:
    def __init__(self, plugin):
        self.plugin = plugin

    def reader(self, place, slot, work, snapshot):
        config = {"postgres": {"dsn": f"host={HOST or place.cluster.socket_directory} port={place.cluster.port} dbname={place.name} user={USER} password={PASSWORD}",
                               "slot": slot, "publication": PUBLICATION, "plugin": self.plugin},
                  "kafka": {"bootstrap.servers": place.kafka.address},
                  "maintenance": {"interval_s": 0, "expire_holds_interval_ms": 0, "saga_sweep_interval_ms": 0}}
        if work == "outbox":
            config["outbox"] = {"table": "public.outbox", "table.field.event.headers": "",
                                "route.topic.replacement": slot + ".${routedByValue}", "table.fields.additional.placement": PLACEMENT}
        else:
            config["connector"] = {"topic.prefix": slot, "table.include.list": f"public.{work}", "snapshot.mode": snapshot,
                                   "key.converter.schemas.enable": False, "value.converter.schemas.enable": False}
        return Ours(place.directory, config, slot, ["--create-slot"] if snapshot != "no_data" else [])


# Of one that differs from another in how it reads a slot only, the drains tell all.
DRAINS_ONLY = ("relay_pgoutput",)

CONTESTANTS = {"debezium_defaults": Debezium(tuned=False), "debezium": Debezium(tuned=True), "relay": HoldfastRelay("holdfast"),
               "relay_pgoutput": HoldfastRelay("pgoutput")}


def at_their_best():
    return [name for name in CONTESTANTS if name not in DRAINS_ONLY]

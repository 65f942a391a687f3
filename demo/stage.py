"""What the demo runs on: a scratch PostgreSQL, a broker, the relay, the payment service and an HTTP endpoint."""

import shutil

from harness import relay as relay_module
from harness.endpoint import Endpoint
from harness.kafka import Node, Topics
from harness.postgres import Cluster
from harness.processes import Process, leave, run_directory
from harness.shop import IN_TOPICS, OUT_TOPICS, Shop
from harness.waiting import wait_until

PAYMENT_MS = 300  # how long the payment provider of the demo takes
DECLINE_AT = 50_000
PARTITIONS = 4
MORE_TOPICS = ("order-request", "order-request-dlq", "catalog-events", "catalog-events-dlq", "payment-event-dlq")


class EmbeddedBroker(Topics):
    """`holdfast-relay broker`: a Kafka-protocol broker in memory, for trying things out."""

    kind = "embedded (holdfast-relay broker: in memory, for trying out)"

    def __init__(self, binary, directory):
        address_file = directory / "broker.address"
        topics = [flag for name in OUT_TOPICS + IN_TOPICS + MORE_TOPICS for flag in ("--topic", f"{name}:{PARTITIONS}")]
        self._process = Process([binary, "broker", "--port-file", address_file, *topics], directory / "broker.log")

        def written():
            if not self._process.running():
                raise RuntimeError(f"the broker ended:\n{self._process.tail()}")
            return address_file.exists() and address_file.read_text().strip()
        super().__init__(wait_until(written, "the broker has written its address"))

    def create(self, *names, **_):
        for name in names:  # topics that the broker was not started with are made when somebody asks for them
            wait_until(lambda name=name: self.partitions(name), f"topic {name} is there")

    def close(self):
        self._process.kill()


class RealKafka(Node):
    kind = "Apache Kafka 4.3.0 (KRaft, one node)"

    def close(self):
        self.wipe()


class Stage:
    def __init__(self, binary, kafka):
        relay_module.BINARY = binary
        self._closers = []
        self.directory = run_directory("demo")
        self._closers.append(lambda: leave(self.directory))
        try:
            self._build(binary, kafka)
        except BaseException:
            self.close()
            raise

    def _build(self, binary, kafka):
        logs = self.directory / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)

        self.cluster = Cluster(self.directory / "postgres").create()
        self._closers.append(self.cluster.remove)
        self.cluster.start()
        self.cluster.create_template("template_holdfast")

        self.kafka = RealKafka(self.directory / "kafka") if kafka == "real" else EmbeddedBroker(binary, logs)
        self._closers.append(self.kafka.close)

        self.shop = Shop(self.cluster, self.kafka, "shop", logs, template="template_holdfast", partitions=PARTITIONS, prefix="")
        self._closers.append(self.shop.close)
        self.shop.open()
        self.shop.slot = "holdfast"
        self.kafka.create(*MORE_TOPICS, partitions=PARTITIONS)
        self.endpoint = Endpoint()
        self._closers.append(self.endpoint.close)
        # The embedded broker does not wake a waiting fetch when a record comes.
        hurry = {} if kafka == "real" else {"fetch.wait.max.ms": "10"}
        inbox = [*self.shop.relay_config()["inbox"], self.shop.binding("order-request", "holdfast.on_order_request"),
                 self.shop.binding("catalog-events", "holdfast.on_catalog_event")]
        self.relay = self.shop.run_relay(capture={"record_offsets": True}, inbox=inbox, kafka=hurry)
        self.shop.payment_service(delay_ms=PAYMENT_MS, decline_at=DECLINE_AT, concurrency=256)

    def versions(self):
        server = self.cluster.admin("SELECT split_part(version(), ' ', 2) AS v")[0].v
        return [("PostgreSQL", f"{server}, extension holdfast, on port {self.cluster.port}"),
                ("Kafka", f"{self.kafka.kind}, at {self.kafka.address}"),
                ("relay", f"holdfast-relay, process {self.relay.pid}, http://127.0.0.1:{self.relay.http_port}"),
                ("payment", f"examples/payment_service.py: takes {PAYMENT_MS} ms, declines {DECLINE_AT:,} and more"),
                ("endpoint", f"{self.endpoint.url}, for the notification")]

    def close(self):
        while self._closers:
            self._closers.pop()()

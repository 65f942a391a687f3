"""One shop: a database with the extension, topics of its own in Kafka, and the relays that join them.

Many shops share a cluster and a Kafka node: each has its own database, slot and topic prefix.
"""

import pathlib
import sys

from psycopg import sql

from .processes import ROOT, Process
from .relay import Relay
from .waiting import wait_until

OUT_TOPICS = ("order-created", "inventory-reserved", "inventory-updated", "inventory-released", "order-events",
              "payment-event", "refund-requested")
IN_TOPICS = ("order-failed", "payment-completed", "payment-failed")

PRODUCTS = ((1, "teapot", 10_000, 100), (2, "kettle", 25_000, 50), (3, "teacup", 5_000, 200))  # id, name, price, units


class Shop:
    def __init__(self, cluster, kafka, name, directory, template=None, partitions=3, prefix=None):
        self.cluster = cluster
        self.kafka = kafka
        self.name = name
        self.slot = name
        self.directory = pathlib.Path(directory)
        self.prefix = f"{name}." if prefix is None else prefix
        self.partitions = partitions
        self._template = template
        self._connections = {}
        self._relays = []
        self._services = []

    # ---- life
    def open(self):
        self.cluster.create_database(self.name, self._template)
        self.kafka.create(*(self.topic(t) for t in OUT_TOPICS + IN_TOPICS + tuple(f"{t}-dlq" for t in IN_TOPICS)),
                          partitions=self.partitions)
        return self

    def close(self):
        for child in self._relays + self._services:
            child.kill()
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self.cluster.drop_slot(self.slot)
        self.cluster.drop_database(self.name)

    def logs(self):
        return [child.log for child in self._relays + self._services]

    # ---- database
    def connect(self, user="shop_app", **more):
        return self.cluster.connect(self.name, user, **more)

    def connection(self, user):
        """A connection that is kept until the server is started again."""
        key = user, self.cluster.starts
        kept = self._connections.get(key)
        if kept is None or kept.closed:
            kept = self._connections[key] = self.connect(user)
        return kept

    def query(self, statement, *args, user="postgres"):
        cursor = self.connection(user).execute(statement, args or None)
        return cursor.fetchall() if cursor.description else None

    def value(self, statement, *args, user="postgres"):
        rows = self.query(statement, *args, user=user)
        return rows[0][0] if rows else None

    def seed(self):
        for product_id, name, price, units in PRODUCTS:
            self.product(product_id, price, units, name)
        return self

    def product(self, product_id, price, units, name=None):
        self.query("CALL holdfast.set_product(%s, %s, %s, on_hand => %s, reason => 'seed')",
                   product_id, name or f"product {product_id}", price, units, user="shop_admin")
        if self.cluster.slot(self.slot) is None:
            self.query("DELETE FROM holdfast.outbox")  # nobody delivers what was before the slot

    def inserts_to_come(self):
        """How many rows of the outbox the slot would still send."""
        return self.value("SELECT count(*) FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1',"
                          " 'publication_names', 'holdfast') WHERE get_byte(data, 0) = ascii('I')", self.slot, user="shop_relay")

    def place(self, user_id, product_id, quantity, connection=None, key=None, options=None):
        """One order of one line: (order_id, status, detail)."""
        return place(connection or self.connection("shop_app"), user_id, product_id, quantity, key, options)

    def submit(self, user_id, product_id, quantity=1, connection=None, key=None, options=None):
        """An order of one line that is placed later: its trace id."""
        from psycopg.types.json import Jsonb
        return (connection or self.connection("shop_app")).execute(
            "SELECT holdfast.submit_order(%s, %s, %s, %s)",
            (user_id, Jsonb([{"productId": product_id, "quantity": quantity}]), key, options and Jsonb(options))).fetchone()[0]

    def emit(self, topic, key, payload, connection=None, kind="Test"):
        """An application's own event; its id.  `topic` without the prefix."""
        from psycopg.types.json import Jsonb
        return (connection or self.connection("shop_app")).execute(
            "SELECT holdfast.emit(%s, %s, %s, %s)", (topic, key, kind, Jsonb(payload))).fetchone()[0]

    def status(self, order_id):
        return self.value("SELECT status FROM holdfast.orders WHERE order_id = %s", order_id)

    def wait_status(self, order_id, *wanted, timeout_s=30):
        return wait_until(lambda: (seen := self.status(order_id)) in wanted and seen,
                          lambda: f"order {order_id} is {' or '.join(wanted)}; it is {self.status(order_id)}", timeout_s)

    def wait_settled(self, timeout_s=60):
        """Until no order waits for its payment any more."""
        pending = "SELECT count(*) FROM holdfast.orders WHERE status = 'PENDING'"
        wait_until(lambda: self.value(pending) == 0, lambda: f"no order is PENDING; {self.value(pending)} are", timeout_s)

    def available(self, product_id):
        return self.query("SELECT * FROM holdfast.availability(%s)", [product_id])[0].available

    def reconciled(self):
        """Require that stock, reservations and ledger agree."""
        wrong = self.query("SELECT * FROM holdfast.reconcile() WHERE expected IS DISTINCT FROM actual")
        assert wrong == [], f"reconcile() finds {wrong}"

    def wait_reported(self):
        """Until the relay has noted that it serves this slot, which --create-slot and the snapshots go by."""
        wait_until(lambda: self.value("SELECT count(*) FROM holdfast.relay_state WHERE slot = %s", self.slot), "the relay has reported")

    # ---- topics
    def topic(self, name):
        return self.prefix + name

    def records(self, *names):
        return self.kafka.read(*(self.topic(n) for n in names))

    # ---- processes
    def relay_config(self):
        return {
            "postgres": {"dsn": self.cluster.dsn(self.name, "shop_relay"), "slot": self.slot, "publication": "holdfast"},
            "kafka": {"bootstrap.servers": self.kafka.address},
            "outbox": {"route.topic.regex": f"^(?:{self.prefix.replace('.', '[.]')})?(?<routedByValue>.*)$",
                       "route.topic.replacement": f"{self.prefix}${{routedByValue}}"} if self.prefix else
                      {"route.topic.replacement": "${routedByValue}"},
            "inbox": [self.binding(t, f"holdfast.on_{t.replace('-', '_')}") for t in IN_TOPICS],
            "maintenance": {"expire_holds_interval_ms": 200},
        }

    def binding(self, topic, call, **more):
        return {"topic": self.topic(topic), "group": f"{self.prefix}holdfast", "call": call, **more}

    def relay(self, name="relay", env=None, **changes):
        """A relay, not yet started; `changes` by section, see relay.merged()."""
        from .relay import merged
        relay = Relay(self.directory, merged(self.relay_config(), changes), name, env=env)
        self._relays.append(relay)
        return relay

    def run_relay(self, name="relay", **changes):
        """A relay that made its slot, if need be, and is ready."""
        return self.relay(name, **changes).start("--create-slot").wait_ready()

    def payment_service(self, **options):
        """examples/payment_service.py, which has joined its group."""
        flags = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}") for name, value in options.items()]
        log = self.directory / "payment_service.log"
        known = log.read_text().count("event=assigned") if log.exists() else 0
        service = Process([sys.executable, ROOT / "examples/payment_service.py", "--bootstrap-servers", self.kafka.address,
                           "--topic-prefix", self.prefix, "--group", f"{self.prefix}payment", *flags], log)
        self._services.append(service)

        def assigned():
            if not service.running():
                raise AssertionError(f"the payment service ended:\n{service.tail()}")
            return log.read_text().count("event=assigned") > known
        wait_until(assigned, "the payment service has its partitions", 30)
        return service


def place(connection, user_id, product_id, quantity, key=None, options=None):
    from psycopg.types.json import Jsonb
    row = connection.execute(
        "CALL holdfast.place_order_item(%s::bigint, %s::bigint, %s::int, %s::text, %s::jsonb)",
        (user_id, product_id, quantity, key, None if options is None else Jsonb(options))).fetchone()
    return row.order_id, row.status, row.detail


def expire(shop, order_id):
    """Let the hold of an order end now."""
    shop.query(sql.SQL("UPDATE holdfast.reservation SET expires_at = now() - interval '1 s' WHERE order_id = %s"), order_id)
    shop.query(sql.SQL("UPDATE holdfast.orders SET expires_at = now() - interval '1 s' WHERE order_id = %s"), order_id)

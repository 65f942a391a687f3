"""Outboxes of different shape behind one relay: each with its own columns, converters and placements.  What each
option makes of an event byte for byte is in the unit tests (outbox_converters_test.cpp)."""

from harness.waiting import wait_until

JSON = "org.apache.kafka.connect.json.JsonConverter"
BINARY = "io.debezium.converters.BinaryDataConverter"
EVENT = "406c07f3-26f0-4eea-a50c-109940064b8f"


def start(shop, *outboxes, **changes):
    """A relay of these tables; nothing else is published."""
    tables = ", ".join(outbox["table"] for outbox in outboxes)
    shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE {tables} WITH (publish = 'insert')")
    relay = shop.relay(outbox=list(outboxes), inbox=None, postgres={"publication": shop.name}, **changes)
    made = relay.command("init")
    assert made.returncode == 0, made.stdout + made.stderr
    return relay.start().wait_ready()


def orders(shop, **options):
    """An outbox with columns of its own names, an envelope, and a partition."""
    shop.query("CREATE TABLE orders_outbox (event uuid PRIMARY KEY, topic text NOT NULL, order_id bigint, body jsonb, "
               "amount numeric(10,2), tenant citext_like, slot int)")
    return {"table": "public.orders_outbox", "table.field.event.id": "event", "table.field.event.key": "order_id",
            "table.field.event.payload": "body", "route.by.field": "topic", "message.prefix": "",
            "table.fields.additional.placement": "amount:envelope,tenant:header:x-tenant,slot:partition",
            "table.expand.json.payload": True,
            **{f"{part}.converter": JSON for part in ("key", "value")},
            **{f"{part}.converter.schemas.enable": False for part in ("key", "value")}, **options}


def payments(shop, **options):
    """An outbox as Debezium's documentation has it, of bytes."""
    shop.query("CREATE TABLE payments_outbox (id uuid PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text, "
               "type text, payload bytea)")
    return {"table": "public.payments_outbox", "value.converter": BINARY, "message.prefix": "",
            "table.fields.additional.placement": "type:header:eventType,nowhere:header",
            "table.field.additional.missing": "ignore", **options}


def test_each_outbox_has_its_own_shape(shop):
    shop.query("CREATE DOMAIN citext_like AS text NOT NULL")
    topics = [f"{shop.name}-orders", f"{shop.name}-payments"]
    shop.kafka.create(*topics, partitions=3)
    relay = start(shop, orders(shop), payments(shop))
    shop.query(f"INSERT INTO orders_outbox VALUES ('{EVENT}', '{topics[0]}', 42, "
               """'{"items": [1, "x"], "note": null}', 12.30, 'a "b"\\', 2)""")
    shop.query(f"INSERT INTO payments_outbox VALUES ('{EVENT}', '{topics[1]}', 'p1', 'Paid', '\\x00ff10')")
    wait_until(lambda: all(shop.kafka.count(topic) for topic in topics), "an event of each outbox")
    order, = shop.kafka.read(topics[0])
    payment, = shop.kafka.read(topics[1])
    assert (order.key, order.value, order.partition) == (
        "42", b'{"payload":{"note":null,"items":[1,"x"]},"amount":"BM4="}', 2)
    assert order.headers == {"id": EVENT, "x-tenant": 'a "b"\\'}
    assert (payment.key, payment.value) == ("p1", b"\x00\xff\x10")
    assert payment.headers == {"id": EVENT, "eventType": "Paid"}
    assert relay.running()


def test_a_partition_that_the_topic_has_not_is_a_halt(shop):
    shop.query("CREATE DOMAIN citext_like AS text NOT NULL")
    topic = f"{shop.name}-orders"
    shop.kafka.create(topic, partitions=2)
    relay = start(shop, orders(shop))
    shop.query(f"INSERT INTO orders_outbox VALUES ('{EVENT}', '{topic}', 1, '{{}}', 1, 't', 2)")
    assert relay.exit_code() != 0
    assert f"asks for partition 2 of topic {topic}, which has 2" in relay.log_text()
    assert shop.kafka.count(topic) == 0


def test_a_column_that_is_missing_is_named_before_anything_runs(shop):
    outbox = payments(shop, **{"table.field.additional.missing": "error"})
    shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE payments_outbox WITH (publish = 'insert')")
    relay = shop.relay(outbox=[outbox], inbox=None, postgres={"publication": shop.name})
    checked = relay.command("check")
    assert checked.returncode != 0
    assert "nowhere" in checked.stdout + checked.stderr

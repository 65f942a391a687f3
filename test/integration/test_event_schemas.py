"""The schemas of docs/events against what is really emitted, and what consumers do with other versions."""

import json
import re
import uuid

import pytest
from harness.processes import ROOT
from harness.shop import IN_TOPICS, expire
from harness.waiting import wait_until
from jsonschema import Draft202012Validator, FormatChecker

FOLDER = ROOT / "docs/events"
FILES = sorted(FOLDER.glob("*.json"))
KINDS = ("LIKED", "UNLIKED", "VIEWED", "PURCHASED", "SOLD_OUT", "BACK_IN_STOCK")


def load(path):
    return json.loads(path.read_text())


def file_of(topic, kind, version):
    """One schema per topic and version; all dead letters have the same, and all commands of sagas."""
    name = "dead-letter" if topic.endswith("-dlq") else "saga-command" if kind == "SagaCommand" else topic
    return FOLDER / f"{name}.v{version}.json"


def problems(schema, payload):
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(payload)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_schema_is_one_and_explains_itself(path):
    schema = load(path)
    Draft202012Validator.check_schema(schema)
    name, version = re.fullmatch(r"([a-z-]+)\.v(\d+)\.json", path.name).groups()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:holdfast:event:{name}:v{version}"
    assert schema["title"] and schema["description"]
    assert schema["additionalProperties"] is True, "consumers ignore unknown fields"
    assert list(schema["properties"])[:5] == ["eventId", "eventType", "schemaVersion", "occurredAt", "traceId"]
    assert schema["properties"]["schemaVersion"]["const"] == int(version)
    for member, what in schema["properties"].items():
        assert what.get("description"), f"{member} is not explained"


@pytest.fixture
def busy_shop(make_shop):
    """A shop in which everything has happened that leads to an event."""
    shop = make_shop().seed()
    topics = (*IN_TOPICS, "order-request", "catalog-events", "notes")
    shop.kafka.create(*(shop.topic(t + end) for t in topics[-3:] for end in ("", "-dlq")), partitions=3)
    shop.query("CREATE FUNCTION public.fail(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE plpgsql"
               " AS $$ BEGIN RAISE 'it always does'; END $$")
    shop.run_relay(inbox=[*shop.relay_config()["inbox"], shop.binding("order-request", "holdfast.on_order_request"),
                          shop.binding("catalog-events", "holdfast.on_catalog_event"), shop.binding("notes", "public.fail")])
    shop.query("CALL holdfast.restock(1, 5, 'found')", user="shop_admin")
    shop.query("CALL holdfast.adjust_stock(1, -5, 'lost again')", user="shop_admin")
    shop.query("CALL holdfast.set_product(3, 'teacup', 5000, on_hand => 210, safety_stock => 3)", user="shop_admin")
    shop.query("UPDATE holdfast.stock SET reserved = 7 WHERE product_id = 3")
    shop.query("SELECT * FROM holdfast.reconcile(repair => true)", user="shop_admin")
    shop.query("UPDATE holdfast.stock SET on_hand = 7 WHERE product_id = 3")
    shop.query("SELECT * FROM holdfast.rebuild_stock(3)", user="shop_admin")

    cancelled, late = shop.place(7, 1, 1)[0], shop.place(7, 1, 1)[0]
    shop.query("CALL holdfast.cancel_order(%s)", cancelled, user="shop_app")
    expire(shop, late)
    shop.wait_status(late, "EXPIRED")
    assert shop.place(7, 1, 1000)[1] == "FAILED"
    shop.query("CALL holdfast.set_product_limits(3, max_per_order => 2)", user="shop_admin")
    assert shop.place(7, 3, 3)[2]["reason"] == "LIMIT_EXCEEDED"
    shop.query("CALL holdfast.set_coupon('TENTH', percent => 10)", user="shop_admin")
    assert shop.place(7, 1, 1, options={"coupons": ["TENTH"]})[1] == "PENDING"
    assert shop.place(7, 1, 1, options={"coupons": ["NONE"]})[1] == "FAILED"
    shop.query("CREATE FUNCTION public.price(\"order\" jsonb) RETURNS jsonb LANGUAGE sql AS"
               " $$ SELECT '{\"lines\": [{\"productId\": 1, \"discountAmount\": 5}]}'::jsonb $$")
    with shop.connect("postgres") as pricing:
        pricing.execute("SET holdfast.price_order = 'public.price'")
        assert shop.place(7, 1, 1, pricing)[2]["discountAmount"] == 5
    with shop.connect() as buyer:
        buyer.execute("SET holdfast.trace_id = 'a trace'")
        buyer.execute("SET holdfast.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'")
        paid, declined = shop.place(7, 1, 3, buyer)[0], shop.place(7, 2, 2, buyer)[0]
        for kind in KINDS:
            shop.emit("catalog-events", "1", {"productId": 1, "kind": kind}, buyer)
            shop.emit("catalog-events", "2", {"productId": 2, "kind": kind, "delta": 3}, buyer, "LikeChanged")
        shop.submit(7, 1, 1, buyer, "cart", options={"holdSeconds": 60})
        by_hand = shop.place(7, 1, 1, buyer)[0]
        for outcome in ("fail_payment(%s, 'LIMIT_EXCEEDED', 'TX-1', 'CREDIT')", "complete_payment(%s, 'TX-2', 'CREDIT')",
                        "refund_payment(%s, 'RETURNED')", "refund_payment(%s, refunded => true)"):
            if not outcome.startswith("refund"):
                payment = buyer.execute("CALL holdfast.begin_payment(%s)", (by_hand,)).fetchone().payment_id
            buyer.execute(f"CALL holdfast.{outcome}", (payment,))
    alarming_saga(shop)
    shop.payment_service()
    shop.wait_status(paid, "COMPLETED")
    shop.wait_status(declined, "FAILED")
    wait_until(lambda: shop.value("SELECT count(*) FROM holdfast.payment WHERE status = 'REFUND_PENDING'") == 3,
               "two that came too late, and one for what was given back, are to be refunded")

    for topic in topics:
        shop.kafka.send(shop.topic(topic), "poison", b"\xff", {"id": f"bytes-{topic}", "other": "x"})
        shop.kafka.send(shop.topic(topic), None, b"no json")
        shop.kafka.send(shop.topic(topic), None, b"{}")
    wait_until(lambda: shop.value("SELECT count(*) FROM holdfast.dead_letter") == 3 * len(topics), "poison is found")
    return shop


def alarming_saga(shop):
    """A saga with a command, of which one order cannot be undone and another times out past its pivot."""
    shop.query("""CREATE FUNCTION public.refuses(order_id bigint, context jsonb) RETURNS void LANGUAGE plpgsql AS
                  $$BEGIN RAISE EXCEPTION 'no'; END$$""")
    shop.query("SELECT holdfast.register_saga('alarming', %s::jsonb)", json.dumps([
        {"step": "check", "command": "credit-check", "completesOn": "CreditOk", "compensation": "public.refuses", "timeout": "1 hour",
         "onTimeout": "alert"}]), user="shop_admin")
    stuck, undone = (shop.place(7, 3, 1, options={"saga": "alarming"})[0] for _ in range(2))
    shop.query("UPDATE holdfast.saga_instance SET deadline = now() WHERE order_id = %s", stuck)
    shop.query("CALL holdfast.cancel_order(%s)", undone, user="shop_app")
    alerts = "SELECT count(*) FROM holdfast.outbox WHERE aggregatetype = 'saga-alerts'"
    wait_until(lambda: shop.value(alerts) == 2, "both alerts are written")


def test_everything_that_is_emitted_is_what_its_schema_says(busy_shop):
    shop = busy_shop
    schemas, unexplained, kinds = {}, set(), set()
    for row in shop.query("SELECT id::text, aggregatetype AS topic, type, payload FROM holdfast.outbox ORDER BY id"):
        path = file_of(row.topic, row.type, row.payload["schemaVersion"])
        assert path.exists(), f"topic {row.topic} has no schema {path.name}"
        schema = schemas.setdefault(path, load(path))
        assert problems(schema, row.payload) == [], f"{path.name}: {row.payload}"
        assert (row.payload["eventId"], row.payload["eventType"]) == (row.id, row.type)
        unexplained |= {(path.name, member) for member in set(row.payload) - set(schema["properties"])}
        kinds |= {(path.name, value) for member, value in row.payload.items()
                  if "enum" in schema["properties"].get(member, {})}

        # A schema that accepts everything would prove nothing.
        for member in schema["required"]:
            assert problems(schema, {k: v for k, v in row.payload.items() if k != member}), f"{path.name} does not need {member}"
        assert problems(schema, {**row.payload, "schemaVersion": 2})
        assert problems(schema, {**row.payload, "brandNew": {"field": 1}}) == []
    assert not unexplained, "the schemas do not know these members"
    assert set(schemas) == set(FILES), "every schema is met by an event of this shop"
    assert {(path.name, value) for path, schema in schemas.items() for what in schema["properties"].values()
            for value in what.get("enum", ())} == kinds, "every value that a schema lists is met by an event of this shop"


def test_a_higher_version_is_a_dead_letter_and_an_unknown_field_is_nothing(make_shop):
    shop = make_shop(partitions=1).seed()
    shop.kafka.create(shop.topic("catalog-events"), shop.topic("catalog-events-dlq"))
    shop.run_relay(inbox=[*shop.relay_config()["inbox"], shop.binding("catalog-events", "holdfast.on_catalog_event")])
    orders = {topic: shop.place(7, 1, 1)[0] for topic in IN_TOPICS}
    ids = {}
    for version in (2, 1):
        for topic in (*IN_TOPICS, "catalog-events"):
            ids[topic, version] = event_id = str(uuid.uuid4())
            event = {"eventId": event_id, "eventType": "Any", "schemaVersion": version, "occurredAt": "2021-03-01T12:00:00Z",
                     "brandNew": {"field": [1, 2]}}
            event |= {"productId": 1, "kind": "VIEWED"} if topic == "catalog-events" else {
                "orderId": orders[topic], "paymentId": f"p-{topic}", "amount": 10_000, "failedStep": "SHIPPING", "reason": "NO_ROUTE"}
            # A key each: nothing waits behind the dead letters.
            shop.kafka.send(shop.topic(topic), f"{topic}-{version}", json.dumps(event).encode(), {"id": event_id})
    outcome = "SELECT outcome FROM holdfast.inbox_seen WHERE event_id = %s"
    for (topic, version), event_id in ids.items():
        expected = "APPLIED" if version == 1 else "DEAD"
        wait_until(lambda event_id=event_id: shop.value(outcome, event_id), f"{topic} version {version} is consumed")
        assert shop.value(outcome, event_id) == expected, (topic, version)
    letters = shop.query("SELECT event_id, sqlstate, message FROM holdfast.dead_letter")
    assert {r.event_id for r in letters} == {event_id for (_, version), event_id in ids.items() if version == 2}
    assert {(r.sqlstate, r.message) for r in letters} == {("HF001", "schemaVersion 2 is not understood")}
    assert [shop.status(orders[t]) for t in ("order-failed", "payment-completed", "payment-failed")] == ["FAILED", "COMPLETED", "FAILED"]

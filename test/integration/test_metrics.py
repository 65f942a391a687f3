"""What applications say about products, counted once each, and the back office that reads it."""

import random

import pytest
from harness.processes import ROOT
from harness.waiting import wait_until

TOPIC = "catalog-events"
COLUMN = {"LIKED": "likes", "UNLIKED": "likes", "VIEWED": "views", "PURCHASED": "purchases", "SOLD_OUT": "sold_out",
          "BACK_IN_STOCK": "back_in_stock"}


@pytest.fixture
def catalogue(make_shop):
    shop = make_shop(partitions=2).seed()
    shop.kafka.create(shop.topic(TOPIC), shop.topic(f"{TOPIC}-dlq"), partitions=2)
    return shop


def run_relay(shop, name="relay"):
    return shop.run_relay(name, inbox=[shop.binding(TOPIC, "holdfast.on_catalog_event")])


def tell(shop, product_id, kind, delta=None):
    payload = {"productId": product_id, "kind": kind} | ({} if delta is None else {"delta": delta})
    return shop.emit(TOPIC, str(product_id), payload, kind="ProductChanged")


def metrics(shop):
    """{(product, column): sum over the days} of what is not zero."""
    columns = list(dict.fromkeys(COLUMN.values()))
    rows = shop.query(f"SELECT product_id, {', '.join(f'sum({c})::int AS {c}' for c in columns)}"
                      " FROM holdfast.product_metric GROUP BY product_id")
    return {(r.product_id, c): getattr(r, c) for r in rows for c in columns if getattr(r, c)}


def wait_consumed(shop, count):
    consumed = "SELECT coalesce(sum(next_offset), 0)::int FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(consumed, shop.topic(TOPIC)) == count,
               lambda: f"{count} are consumed; {shop.value(consumed, shop.topic(TOPIC))} are")


def test_every_event_counts_once_whatever_happens_to_the_relay(catalogue):
    shop = catalogue
    relay = run_relay(shop)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    expected = {}
    for n in range(300):
        product, kind, delta = chance.randint(1, 3), chance.choice(list(COLUMN)), chance.choice((None, 1, 2, 5))
        tell(shop, product, kind, delta)
        sign = -1 if kind == "UNLIKED" else 1
        expected[product, COLUMN[kind]] = expected.get((product, COLUMN[kind]), 0) + sign * (1 if delta is None else delta)
        if n in (100, 200):
            relay.kill()
            relay.start().wait_ready()
    expected = {where: n for where, n in expected.items() if n}
    wait_until(lambda: metrics(shop) == expected, lambda: f"{expected} is counted; {metrics(shop)} is")

    for record in shop.records(TOPIC):  # Kafka, or whoever wrote it there, may deliver everything twice
        shop.kafka.send(record.topic, record.key, record.value, list(record.headers.items()))
    wait_consumed(shop, shop.kafka.count(shop.topic(TOPIC)))
    assert metrics(shop) == expected
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []


def test_the_back_office_page(catalogue):
    shop = catalogue
    run_relay(shop)
    for product, kind, delta in ((1, "VIEWED", 40), (1, "PURCHASED", 3), (2, "VIEWED", 10), (2, "PURCHASED", 5), (2, "LIKED", None),
                                 (3, "PURCHASED", 1)):
        tell(shop, product, kind, delta)
    shop.emit(TOPIC, "3", {"productId": 3, "kind": "PURCHASED", "delta": 9, "occurredAt": "2021-03-01T12:00:00Z"})
    shop.place(7, 2, 2)
    wait_consumed(shop, 7)
    page = shop.query((ROOT / "examples/back_office.sql").read_text(), user="shop_app")
    assert [(r.name, r.views, r.likes, r.purchases, r.purchases_per_100_views, r.available) for r in page] == [
        ("kettle", 10, 1, 5, 50, 48), ("teapot", 40, 0, 3, 7.5, 100), ("teacup", 0, 0, 1, None, 200)]


def test_an_event_that_cannot_be_understood_is_a_dead_letter(catalogue):
    shop = catalogue
    run_relay(shop)
    tell(shop, 1, "VIEWED")
    tell(shop, 2, "SEEN")
    tell(shop, 3, "VIEWED", 0.5)
    tell(shop, 1, "VIEWED")
    wait_consumed(shop, 4)
    assert metrics(shop) == {(1, "views"): 2}
    letters = shop.query("SELECT key, sqlstate, message FROM holdfast.dead_letter ORDER BY key")
    assert [(r.key, r.sqlstate) for r in letters] == [("2", "HF001"), ("3", "HF001")]
    assert '"SEEN"' in letters[0].message and "delta" in letters[1].message

"""replay(): what was published is published again.  Who has seen it skips it, unless it is replayed as new."""

import json

import pytest
from harness.waiting import wait_until

TOPIC = "notes"


@pytest.fixture
def notebook(make_shop):
    """A shop with a binding to a function of its own, which writes everything down."""
    shop = make_shop(partitions=1).seed()
    shop.kafka.create(shop.topic(TOPIC), shop.topic(f"{TOPIC}-dlq"))
    shop.query("""
        CREATE SCHEMA notebook;
        CREATE TABLE notebook.note (line bigint GENERATED ALWAYS AS IDENTITY, key text, n int, replay text, original_id text);
        CREATE FUNCTION notebook.write_down(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE sql AS $$
            INSERT INTO notebook.note (key, n, replay, original_id)
            VALUES (key, (value->>'n')::int, headers->>'replay', headers->>'originalId')
        $$;
        GRANT USAGE ON SCHEMA notebook TO shop_relay;
        GRANT SELECT, INSERT ON notebook.note TO shop_relay;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA notebook TO shop_relay;
    """)
    return shop


def notes(shop):
    return [(r.n, r.replay) for r in shop.query("SELECT n, replay FROM notebook.note ORDER BY line")]


def wait_consumed(shop, topic, count):
    consumed = "SELECT coalesce(sum(next_offset), 0)::int FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(consumed, shop.topic(topic)) == count,
               lambda: f"{count} of {topic} are consumed; {shop.value(consumed, shop.topic(topic))} are")


def seen(shop, topic):
    return shop.value("SELECT count(*) FROM holdfast.inbox_seen WHERE topic = %s", shop.topic(topic))


def replay(shop, arguments):
    return shop.query(f"SELECT * FROM holdfast.replay({arguments})", user="shop_admin")


def test_a_replay_is_the_same_record_and_no_inbox_applies_it_again(notebook):
    shop = notebook
    relay = shop.run_relay(inbox=[shop.binding(TOPIC, "notebook.write_down")])
    ids = [str(shop.emit(TOPIC, f"k{n}", {"n": n, "text": "\u00e9 \u2028 \"q\""})) for n in range(3)]
    wait_consumed(shop, TOPIC, 3)
    assert [str(r.published_as) for r in replay(shop, f"topic => '{TOPIC}'")] == ids
    wait_consumed(shop, TOPIC, 6)

    records = shop.records(TOPIC)
    first, again = records[:3], records[3:]
    assert [r.id for r in again] == ids
    for before, after in zip(first, again, strict=True):
        assert (before.key, before.value) == (after.key, after.value)
        assert {**before.headers, "replay": "true"} == after.headers
    assert notes(shop) == [(0, None), (1, None), (2, None)]
    assert seen(shop, TOPIC) == 3
    assert relay.metrics()["holdfast_relay_inbox_duplicates_total"] == 3


def test_replayed_as_new_everybody_applies_it_again(notebook):
    shop = notebook
    shop.run_relay(inbox=[shop.binding(TOPIC, "notebook.write_down")])
    ids = [str(shop.emit(TOPIC, f"k{n}", {"n": n})) for n in range(3)]
    wait_consumed(shop, TOPIC, 3)
    made = replay(shop, f"first_id => '{ids[1]}', last_id => '{ids[2]}', as_new => true")
    wait_consumed(shop, TOPIC, 5)
    assert notes(shop) == [(0, None), (1, None), (2, None), (1, "true"), (2, "true")]
    assert seen(shop, TOPIC) == 5
    again = shop.records(TOPIC)[3:]
    assert [r.id for r in again] == [str(r.published_as) for r in made]
    assert [r.headers["originalId"] for r in again] == ids[1:]
    assert [json.loads(r.value)["eventId"] for r in again] == [r.id for r in again]
    # Those are events like any other: replayed, they are known.
    replay(shop, f"topic => '{TOPIC}'")
    wait_consumed(shop, TOPIC, 10)
    assert seen(shop, TOPIC) == 5


def test_a_saga_event_that_is_replayed_gives_nothing_back_twice(notebook):
    shop = notebook
    shop.run_relay()
    order_id, _, _ = shop.place(7, 1, 3)
    kept, _, _ = shop.place(8, 1, 2)
    shop.query("CALL holdfast.fail_order(%s)", order_id, user="shop_app")
    wait_consumed(shop, "order-failed", 1)
    for arguments in (f"topic => 'order-failed', key => '{order_id}'", f"key => '{order_id}', topic => 'order-failed', as_new => true"):
        assert [r.type for r in replay(shop, arguments)] == ["OrderFailed"]
    wait_consumed(shop, "order-failed", 3)
    assert seen(shop, "order-failed") == 2, "the first was known, the second is new"
    assert (shop.status(order_id), shop.status(kept)) == ("FAILED", "PENDING")
    assert shop.available(1) == 98
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []
    shop.reconciled()


def test_a_replay_survives_the_relay_and_fills_a_topic_that_lost_everything(notebook):
    """The outbox is an archive: what Kafka has lost comes from there, also with no relay at the time."""
    shop = notebook
    relay = shop.run_relay(inbox=[])
    ids = [str(shop.emit(TOPIC, "k", {"n": n})) for n in range(20)]
    wait_until(lambda: shop.kafka.count(shop.topic(TOPIC)) == 20, "all are in Kafka")
    assert relay.terminate()[0] == 0
    shop.kafka.delete_records(shop.topic(TOPIC), 0, 20)
    replay(shop, f"topic => '{TOPIC}'")
    relay.start().wait_ready()
    wait_until(lambda: shop.kafka.count(shop.topic(TOPIC)) >= 40, "all are there again")
    assert [r.id for r in shop.records(TOPIC)] == ids

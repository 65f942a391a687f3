"""Poison: kept with its error, published to the topic's -dlq, and its key waits in order behind it."""

import json

import pytest
from harness.waiting import holds_for, wait_until

TOPIC = "notes"


@pytest.fixture
def notebook(make_shop):
    """A shop with a binding to a function of its own: it writes down (key, n), unless `n` is poison at
    the time."""
    shop = make_shop(partitions=2)
    shop.kafka.create(shop.topic(TOPIC), shop.topic(f"{TOPIC}-dlq"), partitions=2)
    shop.query("""
        CREATE SCHEMA notebook;
        CREATE TABLE notebook.note (line bigint GENERATED ALWAYS AS IDENTITY, key text, n int, caller name);
        CREATE TABLE notebook.poison (n int PRIMARY KEY, sqlstate text NOT NULL, attempts_left int);
        CREATE SEQUENCE notebook.attempts;
        CREATE FUNCTION notebook.write_down(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE bad notebook.poison;
        BEGIN
            SELECT * INTO bad FROM notebook.poison p WHERE p.n = (value->>'n')::int;
            IF bad.n IS NOT NULL AND (bad.attempts_left IS NULL OR nextval('notebook.attempts') <= bad.attempts_left) THEN
                RAISE EXCEPTION 'number % is poison', bad.n USING ERRCODE = bad.sqlstate;
            END IF;
            INSERT INTO notebook.note (key, n, caller) VALUES (key, (value->>'n')::int, current_user);
        END $$;
        GRANT USAGE ON SCHEMA notebook TO shop_relay, shop_admin;
        GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA notebook TO shop_relay, shop_admin;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA notebook TO shop_relay, shop_admin;
    """)
    shop.run_relay(inbox=[shop.binding(TOPIC, "notebook.write_down")])
    return shop


def tell(shop, key, *numbers, raw=None):
    for n in numbers:
        value = raw if raw is not None else json.dumps({"eventId": f"{key}-{n}", "n": n}).encode()
        shop.kafka.send(shop.topic(TOPIC), key, value, {"id": f"{key}-{n}", "sent-by": "a test"})


def notes(shop, key):
    return [r.n for r in shop.query("SELECT n FROM notebook.note WHERE key = %s ORDER BY line", key)]


def letters(shop, key):
    return shop.query("SELECT * FROM holdfast.dead_letter_entry WHERE key = %s ORDER BY id", key)


def wait_consumed(shop, count):
    consumed = "SELECT coalesce(sum(next_offset), 0)::int FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(consumed, shop.topic(TOPIC)) == count,
               lambda: f"{count} are consumed; {shop.value(consumed, shop.topic(TOPIC))} are")


def poison(shop, n, sqlstate="P0001", attempts=None):
    shop.query("INSERT INTO notebook.poison VALUES (%s, %s, %s)", n, sqlstate, attempts)


def test_handlers_run_with_the_rights_of_the_relay(notebook):
    tell(notebook, "a", 1)
    wait_consumed(notebook, 1)
    assert notebook.value("SELECT caller FROM notebook.note") == "shop_relay"


def test_poison_is_parked_with_its_key_and_redriven_in_order(notebook):
    shop = notebook
    poison(shop, 3)
    tell(shop, "a", 1, 2, 3, 4, 5)
    tell(shop, "b", 1, 2)
    wait_consumed(shop, 7)
    assert notes(shop, "a") == [1, 2]
    assert notes(shop, "b") == [1, 2], "another key goes on"
    dead, *parked = letters(shop, "a")
    assert (dead.status, dead.sqlstate, dead.event_id) == ("DEAD", "P0001", "a-3")
    assert "number 3 is poison" in dead.message and dead.headers["sent-by"] == "a test"
    assert [(p.status, p.event_id) for p in parked] == [("PARKED", "a-4"), ("PARKED", "a-5")]

    record = wait_until(lambda: shop.records(f"{TOPIC}-dlq"), "the dead letter is published")[0]
    told = json.loads(record.value)
    assert record.key == "a" and record.headers["eventType"] == "DeadLetter"
    assert "P0001" in json.dumps(told) and shop.topic(TOPIC) in json.dumps(told)

    # Not mended yet: it stays dead, and nothing overtakes it.
    outcome = shop.query("SELECT * FROM holdfast.redrive(%s)", dead.id, user="shop_admin")
    assert outcome[0].outcome == "DEAD" and notes(shop, "a") == [1, 2]
    tell(shop, "a", 6)
    wait_consumed(shop, 8)
    assert notes(shop, "a") == [1, 2]

    shop.query("DELETE FROM notebook.poison")
    shop.query("SELECT * FROM holdfast.redrive(%s)", dead.id, user="shop_admin")
    assert notes(shop, "a") == [1, 2, 3, 4, 5, 6]
    assert {letter.status for letter in letters(shop, "a")} == {"REDRIVEN"}
    tell(shop, "a", 7)
    wait_consumed(shop, 9)
    assert notes(shop, "a") == [1, 2, 3, 4, 5, 6, 7], "the key flows again"
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []


def test_discarded_poison_lets_the_others_follow(notebook):
    shop = notebook
    poison(shop, 1)
    tell(shop, "a", 1, 2, 3)
    wait_consumed(shop, 3)
    dead, *parked = letters(shop, "a")
    shop.query("SELECT holdfast.discard(%s, 'sent by mistake')", dead.id, user="shop_admin")
    given_up = letters(shop, "a")[0]
    assert (given_up.status, given_up.note, given_up.resolved_by) == ("DISCARDED", "sent by mistake", "shop_admin")
    if notes(shop, "a") == []:
        shop.query("SELECT * FROM holdfast.redrive(%s)", parked[0].id, user="shop_admin")
    assert notes(shop, "a") == [2, 3]
    tell(shop, "a", 4)
    wait_consumed(shop, 4)
    assert notes(shop, "a") == [2, 3, 4]


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "53300", "55P03", "57014", "58030"])
def test_passing_trouble_is_retried_and_never_poison(notebook, sqlstate):
    shop = notebook
    poison(shop, 2, sqlstate, attempts=3)
    tell(shop, "a", 1, 2, 3)
    wait_consumed(shop, 3)
    assert notes(shop, "a") == [1, 2, 3]
    assert letters(shop, "a") == []
    assert shop.value("SELECT last_value FROM notebook.attempts") >= 4


def test_what_is_no_json_or_no_text_is_a_dead_letter(notebook):
    shop = notebook
    shop.kafka.send(shop.topic(TOPIC), "a", b"not json", {"id": "bad-1"})
    shop.kafka.send(shop.topic(TOPIC), "b", b"\xff\xfe\x00", {"id": "bad-2"})
    shop.kafka.send(shop.topic(TOPIC), "c", b'{"n": 1, "text": "nul \\u0000"}', {"id": "bad-3"})
    shop.kafka.send(shop.topic(TOPIC), "d", b'{"n": 1}', {"id": "good"})
    wait_consumed(shop, 4)
    found = {key: letters(shop, key)[0] for key in "abc"}
    assert [found[k].status for k in "abc"] == ["DEAD"] * 3
    assert found["a"].value == "not json" and found["a"].sqlstate.startswith("22")
    assert (found["b"].encoding, found["b"].sqlstate) == ("base64", "22021")
    assert notes(shop, "d") == [1]
    wait_until(lambda: shop.kafka.count(shop.topic(f"{TOPIC}-dlq")) == 3, "all three are published")


def test_a_batch_with_poison_applies_the_rest_once(notebook):
    shop = notebook
    for n in (10, 20, 30):
        poison(shop, n)
    producer_keys = {n: f"key-{n}" for n in range(40)}
    for n, key in producer_keys.items():
        tell(shop, key, n)
    wait_consumed(shop, 40)
    applied = {r.n: r.count for r in shop.query("SELECT n, count(*) FROM notebook.note GROUP BY n")}
    assert applied == {n: 1 for n in range(40) if n not in (10, 20, 30)}
    assert shop.value("SELECT count(*) FROM holdfast.dead_letter") == 3


def test_payment_of_an_unknown_order_and_of_a_wrong_amount_are_dead_letters(shop):
    shop.query(f"ALTER DATABASE {shop.name} SET holdfast.early_retention = 0")
    shop.run_relay()
    order_id, _, _ = shop.place(7, 1, 3)

    def paid(event, order, amount):
        shop.kafka.send(shop.topic("payment-completed"), str(order), json.dumps(
            {"eventId": event, "paymentId": f"p-{event}", "transactionKey": f"t-{event}", "orderId": order, "userId": 7,
             "amount": amount, "cardType": "CREDIT"}).encode(), {"id": event})
    unknown = shop.value("SELECT holdfast.next_order_id()", user="shop_app")
    paid("e-unknown", unknown, 30_000)
    paid("e-wrong", order_id, 29_999)
    wait_until(lambda: shop.value("SELECT count(*) FROM holdfast.dead_letter") == 2, "both are dead letters")
    assert dict(shop.query("SELECT event_id, sqlstate FROM holdfast.dead_letter_entry")) == {"e-unknown": "HF027", "e-wrong": "HF011"}
    holds_for(lambda: shop.status(order_id) == "PENDING", 0.2, "the order still waits for its payment")
    # The right one waits behind the wrong one, until that is given up.
    paid("e-right", order_id, 30_000)
    wait_until(lambda: len(letters(shop, str(order_id))) == 2, "parked")
    dead, parked = letters(shop, str(order_id))
    shop.query("SELECT holdfast.discard(%s, 'typo')", dead.id, user="shop_admin")
    if letters(shop, str(order_id))[1].status == "PARKED":
        shop.query("SELECT * FROM holdfast.redrive(%s)", parked.id, user="shop_admin")
    assert shop.status(order_id) == "COMPLETED"

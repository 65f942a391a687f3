"""Notification: a topic's messages go to an HTTP endpoint, each answered once and recorded, in the order of
its key; what the endpoint refuses is a dead letter that is delivered again when it is redriven."""

import json
import threading
import time

import pytest
from harness.endpoint import Endpoint
from harness.waiting import holds_for, wait_until

TOPIC = "payment-event"
SECRET = "Bearer 7c9e6679-7425-40de-944b"


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def chat(make_shop, endpoint):
    """A shop whose payment events go to the endpoint."""
    shop = make_shop(partitions=2).seed()
    shop.kafka.create(shop.topic(TOPIC), shop.topic(f"{TOPIC}-dlq"), partitions=2)
    shop.notifying = shop.relay(notify=[binding(shop, endpoint)])
    shop.notifying.start("--create-slot").wait_ready()
    return shop


def binding(shop, endpoint, **more):
    return {"topic": shop.topic(TOPIC), "group": f"{shop.prefix}chat", "url": endpoint.url, "secret": SECRET,
            "timeout_ms": 2000, **more}


def tell(shop, key, *ids, value=None):
    for event_id in ids:
        shop.kafka.send(shop.topic(TOPIC), key, value or json.dumps({"eventId": event_id, "status": "PAID"}).encode(),
                        {"id": event_id, "eventType": "PaymentEvent"}, partition=0)


def seen(shop):
    return {r.event_id: r.outcome for r in shop.query(
        "SELECT event_id, outcome FROM holdfast.inbox_seen WHERE consumer = %s", f"{shop.prefix}chat")}


def wait_seen(shop, **outcomes):
    wait_until(lambda: seen(shop) == outcomes, lambda: f"the inbox knows {outcomes}; it knows {seen(shop)}")


def letters(shop):
    return shop.query("SELECT * FROM holdfast.dead_letter_entry WHERE consumer = %s ORDER BY id", f"{shop.prefix}chat")


def test_an_event_of_the_outbox_is_one_request_with_its_headers(chat, endpoint):
    event_id = str(chat.emit(TOPIC, "42", {"orderId": 42, "status": "PAID"}, kind="PaymentEvent"))
    endpoint.wait_ids(event_id)
    request = endpoint.requests[0]
    assert request["path"] == "/hooks/T0-hidden"
    assert json.loads(request["body"])["orderId"] == 42
    assert request["body"] == chat.records(TOPIC)[0].value
    headers = request["headers"]
    assert headers["Content-Type"] == "application/json"
    assert headers["Holdfast-Topic"] == chat.topic(TOPIC)
    assert headers["Holdfast-Event-Type"] == "PaymentEvent"
    assert headers["Authorization"] == SECRET
    wait_seen(chat, **{event_id: "APPLIED"})
    holds_for(lambda: len(endpoint.requests) == 1, 1, "it is not sent again")
    # The same event once more, as an at-least-once producer may send it.
    tell(chat, "42", event_id)
    tell(chat, "42", "next")
    endpoint.wait_ids(event_id, "next")


def test_an_endpoint_in_trouble_gets_it_again_until_it_answers(chat, endpoint):
    answers = iter([500, 500, (429, {"Retry-After": "2"})])
    endpoint.behave = lambda request: next(answers, 200)
    tell(chat, "a", "a-1", "a-2")
    endpoint.wait_ids("a-1", "a-1", "a-1", "a-1", "a-2")
    assert endpoint.requests[3]["at"] - endpoint.requests[2]["at"] >= 1.9, "Retry-After"
    wait_seen(chat, **{"a-1": "APPLIED", "a-2": "APPLIED"})
    wait_until(lambda: chat.notifying.metrics().get("holdfast_relay_notify_sent_total") == 2, "two were sent")
    assert chat.notifying.metrics()["holdfast_relay_notify_retried_total"] == 3
    assert letters(chat) == []


def test_refused_is_a_dead_letter_that_is_delivered_when_redriven(chat, endpoint):
    endpoint.behave = lambda request: 400 if request["headers"]["Holdfast-Event-Id"] in ("a-1", "a-3") else 200
    tell(chat, "a", "a-1", "a-2", "a-3", "a-4")
    tell(chat, "b", "b-1")
    wait_seen(chat, **{"a-1": "DEAD", "a-2": "PARKED", "a-3": "PARKED", "a-4": "PARKED", "b-1": "APPLIED"})
    endpoint.wait_ids("a-1", "b-1")
    dead = letters(chat)[0]
    assert (dead.status, dead.sqlstate, dead.event_id) == ("DEAD", "HF026", "a-1")
    assert dead.message.endswith("answered HTTP 400") and dead.handler == f"POST http://127.0.0.1:{endpoint.server.server_port}"
    record = wait_until(lambda: chat.records(f"{TOPIC}-dlq"), "the dead letter is published")[0]
    assert "HF026" in json.dumps(json.loads(record.value))

    # Not mended yet: delivered again, refused again.
    assert [r.outcome for r in chat.query("SELECT * FROM holdfast.redrive(%s)", dead.id, user="shop_admin")] == ["QUEUED"]
    endpoint.wait_ids("a-1", "b-1", "a-1")
    wait_until(lambda: letters(chat)[0].status == "DEAD", "it is dead again")

    # Mended: it goes, and what was parked behind it follows up to the next that is refused.
    endpoint.behave = lambda request: 400 if request["headers"]["Holdfast-Event-Id"] == "a-3" else 200
    chat.query("SELECT * FROM holdfast.redrive(%s)", dead.id, user="shop_admin")
    endpoint.wait_ids("a-1", "b-1", "a-1", "a-1", "a-2", "a-3")
    wait_until(lambda: [e.status for e in letters(chat)] == ["REDRIVEN", "REDRIVEN", "DEAD", "PARKED"],
               lambda: f"two are redriven and one refused: {[e.status for e in letters(chat)]}")
    assert letters(chat)[0].attempts == 3
    chat.query("SELECT * FROM holdfast.discard(%s, 'old')", letters(chat)[2].id, user="shop_admin")
    wait_until(lambda: [e.status for e in letters(chat)] == ["REDRIVEN", "REDRIVEN", "DISCARDED", "REDRIVEN"], "the last follows")
    tell(chat, "a", "a-5")
    endpoint.wait_ids("a-1", "b-1", "a-1", "a-1", "a-2", "a-3", "a-4", "a-5")
    wait_seen(chat, **{"a-1": "APPLIED", "a-2": "APPLIED", "a-3": "DEAD", "a-4": "APPLIED", "b-1": "APPLIED", "a-5": "APPLIED"})
    assert chat.value("SELECT count(*) FROM holdfast.inbox_block") == 0


def test_killed_it_repeats_only_what_was_not_answered(chat, endpoint):
    arrived = threading.Event()

    def hold_the_third(request):
        if request["headers"]["Holdfast-Event-Id"] == "a-3" and not arrived.is_set():
            arrived.set()
            time.sleep(1)
        return 200
    endpoint.behave = hold_the_third
    tell(chat, "a", "a-1", "a-2", "a-3", "a-4")
    assert arrived.wait(30)
    chat.notifying.kill()
    assert seen(chat) == {"a-1": "APPLIED", "a-2": "APPLIED"}
    chat.notifying.start().wait_ready()
    endpoint.wait_ids("a-1", "a-2", "a-3", "a-3", "a-4")
    wait_seen(chat, **{f"a-{n}": "APPLIED" for n in range(1, 5)})


def test_stopped_it_waits_for_the_answer_and_repeats_nothing(chat, endpoint):
    arrived = threading.Event()

    def hold(request):
        arrived.set()
        time.sleep(1)
        return 200
    endpoint.behave = hold
    tell(chat, "a", "a-1", "a-2")
    assert arrived.wait(30)
    assert chat.notifying.terminate()[0] == 0
    assert seen(chat) == {"a-1": "APPLIED"}
    endpoint.behave = lambda request: 200
    chat.notifying.start().wait_ready()
    endpoint.wait_ids("a-1", "a-2")


def test_a_slow_endpoint_holds_up_neither_capture_nor_inbox_nor_other_endpoints(make_shop, endpoint):
    shop = make_shop(partitions=1).seed()
    shop.kafka.create(shop.topic(TOPIC), shop.topic("order-notes"))
    quick = Endpoint()
    slow = threading.Event()
    endpoint.behave = lambda request: slow.wait(60) and 200
    relay = shop.relay(notify=[binding(shop, endpoint, timeout_ms=60_000),
                               binding(shop, quick, topic=shop.topic("order-notes"), group=f"{shop.prefix}holdfast")])
    relay.start("--create-slot").wait_ready()
    try:
        tell(shop, "a", "a-1")
        wait_until(lambda: endpoint.ids() == ["a-1"], "the slow endpoint has it")
        order_id, status, _ = shop.place(7, 1, 2)
        assert status == "PENDING"
        wait_until(lambda: shop.kafka.count(shop.topic("order-created")) == 1, "capture goes on")
        shop.kafka.send(shop.topic("payment-failed"), str(order_id), json.dumps(
            {"eventId": "f-1", "paymentId": "p", "orderId": order_id, "userId": 7, "amount": 20_000, "reason": "NO"}).encode(),
            {"id": "f-1"})
        shop.wait_status(order_id, "FAILED")
        shop.kafka.send(shop.topic("order-notes"), "k", b"{}", {"id": "n-1"})
        quick.wait_ids("n-1")
        assert relay.ready()
        slow.set()
        # The failed payment is a payment event of its own, and follows on the same topic.
        wait_until(lambda: list(seen(shop).values()) == ["APPLIED", "APPLIED"], lambda: f"both are answered: {seen(shop)}")
        assert len(endpoint.ids()) == 2 and endpoint.ids()[0] == "a-1"
    finally:
        slow.set()
        quick.close()


def test_a_slow_endpoint_does_not_cost_the_place_in_the_group(make_shop, endpoint):
    shop = make_shop(partitions=1)
    shop.kafka.create(shop.topic(TOPIC))
    endpoint.behave = lambda request: time.sleep(9) or 200
    relay = shop.relay(inbox=None, notify=[binding(shop, endpoint, timeout_ms=60_000)],
                       kafka={"session.timeout.ms": 6000, "max.poll.interval.ms": 6000})
    relay.start("--create-slot").wait_ready()
    tell(shop, "a", "a-1")
    wait_seen(shop, **{"a-1": "APPLIED"})
    assert endpoint.ids() == ["a-1"]
    assert len(relay.events("inbox_claimed")) == 1 and relay.events("inbox_fenced") == []


def test_an_endpoint_that_is_away_is_waited_for(chat, endpoint):
    endpoint.close()
    tell(chat, "a", "a-1")
    wait_until(lambda: chat.notifying.events("inbox_retry"), "the relay tries")
    assert "cannot connect" in chat.notifying.events("inbox_retry")[0]
    assert seen(chat) == {}
    back = Endpoint(endpoint.server.server_port)
    try:
        back.wait_ids("a-1")
        wait_seen(chat, **{"a-1": "APPLIED"})
    finally:
        back.close()


def test_what_is_no_json_is_sent_byte_for_byte(chat, endpoint):
    tell(chat, "a", "bytes", value=b"\xff\x00\xfe")
    endpoint.wait_ids("bytes")
    assert endpoint.requests[0]["body"] == b"\xff\x00\xfe"


def test_neither_secret_nor_path_is_ever_shown(chat, endpoint):
    answers = iter([500, 404])
    endpoint.behave = lambda request: next(answers, 200)
    tell(chat, "a", "a-1", "a-2")
    wait_seen(chat, **{"a-1": "DEAD", "a-2": "PARKED"})
    check = chat.notifying.command("check")
    shown = chat.notifying.log_text() + check.stdout + check.stderr + chat.notifying.get("/metrics")[1] + str(letters(chat))
    assert f"notify {chat.topic(TOPIC)}" in check.stdout
    assert "7c9e6679" not in shown and "T0-hidden" not in shown


def test_check_warns_of_an_endpoint_without_an_address(make_shop, endpoint):
    shop = make_shop(partitions=1)
    relay = shop.relay(notify=[binding(shop, endpoint, url="http://nothing.invalid/hook", ca_file="/nowhere.pem")])
    done = relay.command("check")
    assert "nothing.invalid has no address" in done.stdout
    assert "cannot read ca_file /nowhere.pem" in done.stdout and done.returncode == 78

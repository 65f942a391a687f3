"""Orders that are asked for now and placed later: submit_order, order-request, on_order_request."""

import json
import threading
import uuid

from harness import audit
from harness.waiting import wait_until

UNITS = {1: 250, 2: 150, 3: 100}
USERS = 1_000


def intake(shop):
    """A relay configuration that places requests, from a topic of one partition."""
    shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"), partitions=1)
    return [shop.binding("order-request", "holdfast.on_order_request")]


def status(shop, trace_id, user=None):
    return shop.value("SELECT holdfast.order_status(%s::uuid, %s)", trace_id, user, user="shop_app")


def wait_answered(shop, timeout_s=60):
    left = "SELECT count(*) FROM holdfast.order_request WHERE status = 'PROCESSING'"
    wait_until(lambda: shop.value(left) == 0, lambda: f"every request is answered; {shop.value(left)} are not", timeout_s)


def rush(shop, clients=10):
    """A thousand users want one of five hundred units; their trace ids."""
    for product, units in UNITS.items():
        shop.product(product, 1_000, units)
    wanted = [product for product, units in UNITS.items() for _ in range(units * 2)]
    traces, errors = [], []

    def client(part):
        try:
            with shop.connect() as connection:
                for user in range(part, USERS, clients):
                    traces.append((user, shop.submit(user, wanted[user], connection=connection)))
        except Exception as e:  # noqa: BLE001  looked at below
            errors.append(e)
    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return traces


def check_rush(shop, traces):
    assert len({trace for _, trace in traces}) == USERS
    answers = {trace: status(shop, trace, user) for user, trace in traces}
    completed = [a for a in answers.values() if a["status"] == "COMPLETED"]
    failed = [a for a in answers.values() if a["status"] == "FAILED"]
    assert (len(completed), len(failed)) == (500, 500)
    assert len({a["orderId"] for a in answers.values()}) == USERS, "one order for each request, refusals among them"
    assert {a["reason"] for a in failed} == {"OUT_OF_STOCK"}
    for product, units in UNITS.items():
        row = shop.query("SELECT reserved, on_hand, version FROM holdfast.stock WHERE product_id = %s", product)[0]
        assert (row.reserved, row.on_hand) == (units, units)
        assert shop.available(product) == 0
    shop.reconciled()
    # Each refusal can be followed from its trace id to its order, its event and its reason.
    audit.wait_delivered(shop)
    told = {json.loads(r.value)["traceId"] for r in shop.records("order-failed")}
    assert told == {a["traceId"] for a in failed}
    # The versions of each product's stock count its sales, without a gap.
    for product, units in UNITS.items():
        versions = {v["version"] for r in shop.records("inventory-updated")
                    if (v := json.loads(r.value))["productId"] == product and v["cause"] == "RESERVE"}
        assert len(versions) == units and max(versions) - min(versions) == units - 1


def test_a_rush_is_answered_request_by_request(shop):
    shop.run_relay(inbox=intake(shop))
    traces = rush(shop)
    wait_answered(shop)
    check_rush(shop, traces)


def test_a_rush_survives_a_relay_that_is_killed(shop):
    relay = shop.run_relay(inbox=intake(shop))
    result = []
    thread = threading.Thread(target=lambda: result.extend(rush(shop)))
    thread.start()
    for _ in range(3):
        before = shop.value("SELECT count(*) FROM holdfast.order_request WHERE status <> 'PROCESSING'")
        wait_until(lambda before=before: shop.value("SELECT count(*) FROM holdfast.order_request WHERE status <> 'PROCESSING'")
                   > before or not thread.is_alive(), "requests are answered")
        relay.kill()
        relay.start()
    thread.join()
    wait_answered(shop, 90)
    check_rush(shop, result)


def test_an_application_may_publish_the_request_itself(shop):
    shop.seed().run_relay(inbox=intake(shop))
    trace_id = str(uuid.uuid4())
    request = {"traceId": trace_id, "userId": 7, "lines": [{"productId": 1, "quantity": 3}], "schemaVersion": 1}
    for _ in range(2):  # and once more, as a retry would
        shop.kafka.send(shop.topic("order-request"), trace_id, json.dumps(request))
    wait_until(lambda: shop.value("SELECT status FROM holdfast.order_request WHERE trace_id = %s", trace_id) == "COMPLETED",
               "the request is placed")
    wait_until(lambda: shop.value("SELECT next_offset FROM holdfast.inbox_offset WHERE topic = %s",
                                  shop.topic("order-request")) == 2, "the repetition is read")
    assert shop.value("SELECT count(*) FROM holdfast.orders") == 1
    assert shop.available(1) == 97


def test_a_request_that_is_wrong_fails_alone_and_is_a_dead_letter(shop):
    shop.seed().run_relay(inbox=intake(shop))
    good = [shop.submit(user, 1) for user in range(5)]
    wrong = shop.submit(8, 99)  # no such product
    more = [shop.submit(user, 1) for user in range(5, 10)]
    wait_answered(shop)
    assert {status(shop, t)["status"] for t in good + more} == {"COMPLETED"}
    answer = status(shop, wrong)
    assert (answer["status"], answer["reason"], answer["message"]) == ("FAILED", "DEAD_LETTER", "product 99 does not exist")
    wait_until(lambda: shop.kafka.count(shop.topic("order-request-dlq")) == 1, "the dead letter is published")
    # Mended and redriven, it is placed.
    shop.product(99, 100, 5)
    letter = shop.value("SELECT id FROM holdfast.dead_letter")
    shop.query("SELECT * FROM holdfast.redrive(%s)", letter, user="shop_admin")
    assert status(shop, wrong)["status"] == "COMPLETED"


def test_a_waiter_is_told_when_to_look(shop):
    shop.seed().run_relay(inbox=intake(shop))
    with shop.connect() as listener:
        listener.execute("LISTEN holdfast_order_status")
        trace_id = shop.submit(7, 1)
        told = [json.loads(n.payload) for n in listener.notifies(timeout=20, stop_after=1)]
    assert told == [{"traceIds": [str(trace_id)]}]
    assert status(shop, trace_id, 7)["status"] == "COMPLETED"


"""The main job: order, event, payment, answer, and what each failure gives back."""

import concurrent.futures
import json
import uuid

import psycopg
from harness import audit
from harness.shop import expire, place
from harness.waiting import holds_for, wait_until


def test_paid_order_completes_and_sells_its_units(shop):
    shop.run_relay()
    shop.payment_service()
    order_id, status, detail = shop.place(7, 1, 3)
    assert status == "PENDING" and detail["finalTotalAmount"] == 30_000
    shop.wait_status(order_id, "COMPLETED")
    assert shop.available(1) == 97
    reserved, = (json.loads(r.value) for r in shop.records("inventory-reserved"))
    assert (reserved["orderId"], reserved["userId"], reserved["amount"], reserved["currency"]) == (order_id, 7, 30_000, "KRW")
    audit.wait_delivered(shop)
    kinds = [json.loads(r.value)["kind"] for r in shop.records("order-events")]
    assert kinds == ["ORDER_CONFIRMED"]
    shop.reconciled()


def test_declined_payment_gives_the_units_back(shop):
    shop.run_relay()
    shop.payment_service()
    order_id, status, _ = shop.place(7, 2, 2)  # 50,000: the limit itself is declined
    assert status == "PENDING"
    shop.wait_status(order_id, "FAILED")
    assert shop.available(2) == 50
    audit.wait_delivered(shop)
    # The extension tells the others once, and its own message coming back gives nothing back again.
    wait_until(lambda: shop.value("SELECT count(*) FROM holdfast.inbox_seen WHERE topic = %s", shop.topic("order-failed")) == 1,
               "the inbox has seen our own order-failed")
    assert shop.available(2) == 50
    assert len(shop.records("order-failed")) == 1
    shop.reconciled()


def test_out_of_stock_is_refused_at_once_and_gives_nothing_back(shop):
    shop.run_relay()
    order_id, status, detail = shop.place(7, 2, 51)
    assert (status, detail["reason"]) == ("FAILED", "OUT_OF_STOCK")
    assert detail["lines"] == [{"productId": 2, "requested": 51, "available": 50}]
    wait_until(lambda: shop.value("SELECT count(*) FROM holdfast.inbox_seen WHERE topic = %s", shop.topic("order-failed")) == 1,
               "the order-failed event went out and came back")
    assert shop.available(2) == 50
    assert shop.status(order_id) == "FAILED"
    audit.wait_delivered(shop)
    shop.reconciled()


def test_flash_sale_sells_exactly_what_there_is(make_shop):
    """1,000 buyers on 100 connections want one of 500 units of three products."""
    shop = make_shop()
    units = {1: 100, 2: 150, 3: 250}
    for product_id, on_hand in units.items():
        shop.product(product_id, 1_000, on_hand)
    shop.run_relay()
    shop.payment_service()

    # Twice as many buyers as units for each product.
    wanted = [p for p, n in units.items() for _ in range(2 * n)]

    def buyer(worker):
        with shop.connect() as connection:
            return [place(connection, user, wanted[user], 1)[1] for user in range(worker, len(wanted), 100)]
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = [status for statuses in pool.map(buyer, range(100)) for status in statuses]
    assert (answers.count("PENDING"), answers.count("FAILED")) == (500, 500)
    assert [shop.available(p) for p in units] == [0, 0, 0]
    shop.wait_settled()
    assert shop.query("SELECT status, count(*) FROM holdfast.orders GROUP BY 1 ORDER BY 1") == [("COMPLETED", 500), ("FAILED", 500)]
    audit.wait_delivered(shop)
    shop.reconciled()


def test_no_transaction_is_open_while_the_payment_takes_its_time(shop):
    shop.run_relay()
    shop.payment_service(delay_ms=1500)
    order_id, _, _ = shop.place(7, 1, 1)
    wait_until(lambda: any(r.key == str(order_id) for r in shop.records("inventory-reserved")), "the payment service is asked")
    locks = ("SELECT count(*) FROM pg_locks WHERE relation = 'holdfast.stock'::regclass AND mode = 'RowExclusiveLock'"
             " AND pid <> pg_backend_pid()")
    assert shop.value(locks) == 0
    second, status, _ = shop.place(8, 1, 1)  # another buyer of the same product does not wait
    assert status == "PENDING" and shop.status(order_id) == "PENDING"
    shop.wait_status(order_id, "COMPLETED")
    shop.wait_status(second, "COMPLETED")


def test_trace_tells_the_story_of_an_order(shop):
    shop.run_relay(capture={"record_offsets": True})
    shop.payment_service()
    order_id, _, _ = shop.place(7, 1, 3)
    shop.wait_status(order_id, "COMPLETED")

    def told():
        rows = shop.query("SELECT * FROM holdfast.trace(%s)", order_id)
        return all(r.kafka_offset is not None for r in rows if r.topic) and {r.topic for r in rows} >= {
            "order-created", "inventory-reserved", shop.topic("payment-completed"), "order-events"} and rows
    rows = wait_until(told, lambda: f"trace has all topics, with offsets: {shop.query('SELECT * FROM holdfast.trace(%s)', order_id)}")
    assert [r.at for r in rows] == sorted(r.at for r in rows)
    in_kafka = {(r.topic, r.partition, r.offset) for r in shop.records("order-created", "inventory-reserved", "order-events",
                                                                       "payment-completed")}
    said = {(r.topic if r.topic.startswith(shop.prefix) else shop.topic(r.topic), r.partition, r.kafka_offset)
            for r in rows if r.topic}
    assert said >= {where for where in in_kafka}


def test_repeated_answer_is_applied_once(shop):
    """The payment service may answer twice; so may Kafka deliver twice."""
    shop.run_relay()
    shop.payment_service()
    order_id, _, _ = shop.place(7, 1, 3)
    shop.wait_status(order_id, "COMPLETED")
    answer, = shop.records("payment-completed")
    for _ in range(3):
        shop.kafka.send(answer.topic, answer.key, answer.value, list(answer.headers.items()))
    consumed = ("SELECT coalesce(sum(next_offset), 0) FROM holdfast.inbox_offset WHERE topic = %s")
    wait_until(lambda: shop.value(consumed, answer.topic) == 4, "all four are consumed")
    assert shop.value("SELECT count(*) FROM holdfast.inbox_seen WHERE event_id = %s", answer.id) == 1
    assert shop.value("SELECT count(*) FROM holdfast.payment WHERE order_id = %s", order_id) == 1
    assert shop.available(1) == 97
    audit.wait_delivered(shop)
    assert len({r.id for r in shop.records("order-events")}) == 1


def order_failed(shop, order_id, reason="PAYMENT_DECLINED"):
    event_id = str(uuid.uuid4())
    shop.kafka.send(shop.topic("order-failed"), str(order_id), json.dumps(
        {"eventId": event_id, "eventType": "OrderFailed", "schemaVersion": 1, "orderId": order_id, "failedStep": "PAYMENT",
         "reason": reason, "message": "told by another service"}).encode(), {"id": event_id})
    return event_id


def wait_seen(shop, event_id):
    return wait_until(lambda: shop.query("SELECT * FROM holdfast.inbox_seen WHERE event_id = %s", event_id),
                      f"event {event_id} is applied")[0]


def test_order_failed_from_another_service_compensates_once(shop):
    shop.run_relay()
    order_id, _, _ = shop.place(7, 1, 3)
    assert shop.available(1) == 97
    order_failed(shop, order_id)
    shop.wait_status(order_id, "FAILED")
    wait_seen(shop, order_failed(shop, order_id))  # another message, the same news
    assert shop.available(1) == 100
    audit.wait_delivered(shop)
    released = [json.loads(r.value) for r in shop.records("inventory-released")]
    assert len(released) == 1
    shop.reconciled()


def test_compensation_that_comes_before_its_order_is_met_by_it(shop):
    shop.run_relay()
    order_id = shop.value("SELECT holdfast.next_order_id()", user="shop_app")
    wait_seen(shop, order_failed(shop, order_id))
    placed, status, detail = shop.place(7, 1, 3, options={"orderId": order_id})
    assert (placed, status) == (order_id, "FAILED"), detail
    assert shop.available(1) == 100
    shop.reconciled()


def test_payment_after_expiry_asks_for_a_refund(shop):
    shop.run_relay()
    order_id, _, _ = shop.place(7, 1, 3)
    expire(shop, order_id)
    shop.wait_status(order_id, "EXPIRED")  # by the relay's own sweep
    assert shop.available(1) == 100
    shop.payment_service()  # only now answers the reservation of long ago
    refund = wait_until(lambda: shop.records("refund-requested"), "a refund is requested")
    assert [json.loads(r.value)["orderId"] for r in refund] == [order_id]
    assert shop.status(order_id) == "EXPIRED" and shop.available(1) == 100
    audit.wait_delivered(shop)
    shop.reconciled()


def test_events_of_payments_that_the_application_makes_come_back_without_effect(shop):
    """The relay publishes payment-completed and payment-failed, and is bound to both."""
    shop.run_relay()
    app = shop.connect()

    def pay(payment_id, outcome, *args, amount=None):
        app.execute("CALL holdfast.begin_payment(%s, %s, %s)", (order_id, amount, payment_id))
        return app.execute(f"CALL holdfast.{outcome}_payment(%s, %s)", (payment_id, *args)).fetchone().status

    order_id, _, _ = shop.place(7, 1, 3)
    assert pay("seat-1", "complete", "TX-1", amount=10_000) == "COMPLETED"
    assert pay("seat-2", "fail", "LIMIT_EXCEEDED", amount=20_000) == "FAILED"
    wait_applied(shop, 2)
    assert shop.status(order_id) == "PENDING"  # it can still be paid
    assert pay("seat-3", "complete", "TX-3") == "COMPLETED"
    assert shop.status(order_id) == "COMPLETED"

    order_id, _, _ = shop.place(8, 1, 1)
    app.execute("CALL holdfast.begin_payment(%s, NULL, 'late')", (order_id,))
    app.execute("CALL holdfast.cancel_order(%s)", (order_id,))
    assert app.execute("CALL holdfast.complete_payment('late', 'TX-9')").fetchone().status == "REFUND_PENDING"

    wait_applied(shop, 3)
    audit.wait_delivered(shop)
    told = [json.loads(r.value) for r in shop.records("payment-event")]
    assert sorted((t["paymentId"], t["status"], t["amount"]) for t in told) == [
        ("late", "REFUND_PENDING", 10_000), ("seat-1", "COMPLETED", 10_000), ("seat-2", "FAILED", 20_000), ("seat-3", "COMPLETED", 20_000)]
    assert all(r.key == json.loads(r.value)["paymentId"] for r in shop.records("payment-event"))
    assert (len(shop.records("payment-completed")), len(shop.records("payment-failed"))) == (2, 1)
    assert [json.loads(r.value)["paymentId"] for r in shop.records("refund-requested")] == ["late"]
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []
    assert shop.available(1) == 97
    shop.reconciled()


def wait_applied(shop, events):
    """Wait until the inbox has applied so many payment events."""
    seen = "SELECT count(*) FROM holdfast.inbox_seen WHERE topic IN (%s, %s) AND outcome = 'APPLIED'"
    wait_until(lambda: shop.value(seen, shop.topic("payment-completed"), shop.topic("payment-failed")) == events,
               f"the inbox has applied {events} payment events")


def test_a_killed_payment_service_leaves_no_order_unanswered(shop):
    shop.run_relay()
    service = shop.payment_service(delay_ms=100, concurrency=2)
    orders = [shop.place(user, 3, 1)[0] for user in range(20)]
    wait_until(lambda: shop.kafka.count(shop.topic("payment-completed")) > 2, "some are paid")
    service.kill()
    shop.payment_service(concurrency=2)
    shop.wait_settled()
    assert {shop.status(o) for o in orders} == {"COMPLETED"}
    assert shop.value("SELECT count(*) FROM holdfast.payment") == len(orders)
    answers = shop.records("payment-completed")
    assert len({r.id for r in answers}) == len(orders)  # repeated ones have the same id


def test_events_of_a_rolled_back_transaction_never_appear(shop):
    shop.run_relay()
    with shop.connect(autocommit=False) as connection:
        placed = place(connection, 7, 1, 1)
        assert placed[2]["durability"] == "tx"
        connection.rollback()
    order_id, _, detail = shop.place(8, 1, 1)
    assert detail["durability"] == "elr"
    delivery = audit.wait_delivered(shop)
    assert delivery.duplicates == 0
    assert {r.key for r in shop.records("order-created")} == {str(order_id)}
    assert holds_for(lambda: shop.status(placed[0]) is None, 0.2, "no such order") is None


def test_an_application_cannot_write_the_tables(shop):
    for statement in ("INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type) VALUES (gen_random_uuid(), 't', 'k', 'T')",
                      "UPDATE holdfast.stock SET on_hand = 1", "DELETE FROM holdfast.orders"):
        try:
            shop.query(statement, user="shop_app")
        except psycopg.errors.InsufficientPrivilege:
            continue
        raise AssertionError(f"allowed: {statement}")

"""G1 to G9 of docs/coverage.md: what goes wrong in the way that published systems do it, and does not here.

Each test has a model of that way, as small as it can be and on the same PostgreSQL and Kafka, shows what it
does to the model, and then puts holdfast through the same events.
"""

import json
import threading
import uuid

import psycopg
import pytest
from confluent_kafka import KafkaError, Producer
from harness import audit
from harness.shop import expire, place
from harness.waiting import wait_until
from harness.walk_model import SAGAS
from psycopg.types.json import Jsonb


@pytest.fixture
def published(shop):
    """A shop that has the tables of the others beside its own; connections to them by published.connect()."""
    shop.query("""
        CREATE SCHEMA published;
        CREATE TABLE published.inventory (product_id bigint PRIMARY KEY, quantity bigint NOT NULL CHECK (quantity >= 0));
        CREATE TABLE published.orders (order_id bigint PRIMARY KEY, product_id bigint, quantity bigint, status text NOT NULL);
        CREATE TABLE published.payment (payment_id text PRIMARY KEY, order_id bigint, status text NOT NULL);
        CREATE TABLE published.outbox_event (event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), payload text, status text);
        CREATE TABLE published.order_trace (trace_id uuid PRIMARY KEY, status text NOT NULL);
        INSERT INTO published.inventory VALUES (1, 100), (2, 50), (3, 200);
    """)
    return Published(shop)


class Published:
    """What the published services share: a database, topics, and a consumer that reads a topic once."""

    def __init__(self, shop):
        self.shop = shop

    def connect(self):
        return self.shop.cluster.connect(self.shop.name, "postgres", autocommit=False)

    def query(self, statement, *args):
        return self.shop.query(statement, *args)

    def quantity(self, product_id):
        return self.shop.value("SELECT quantity FROM published.inventory WHERE product_id = %s", product_id)

    def take(self, product_id, quantity):
        """The inventory service's decrement; false when there is not enough."""
        return bool(self.query("UPDATE published.inventory SET quantity = quantity - %s WHERE product_id = %s AND quantity >= %s"
                               " RETURNING quantity", quantity, product_id, quantity))

    def give_back(self, product_id, quantity):
        self.query("UPDATE published.inventory SET quantity = quantity + %s WHERE product_id = %s", quantity, product_id)

    def topic(self, name, **config):
        self.shop.kafka.create(self.shop.topic(f"published-{name}"), **config)
        return self.shop.topic(f"published-{name}")

    def send(self, topic, event, headers=None):
        self.shop.kafka.send(topic, "key", json.dumps(event).encode(), headers)

    def read(self, topic):
        return [json.loads(r.value) for r in self.shop.kafka.read(topic)]


def end_session(shop, connection):
    """What a crash of the application is to the database."""
    shop.cluster.admin("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
    connection.close()


def wait_seen(shop, topic, count=1):
    seen = "SELECT count(*) FROM holdfast.inbox_seen WHERE topic = %s"
    wait_until(lambda: shop.value(seen, shop.topic(topic)) == count, lambda: f"the inbox has seen {count} of {topic}")


def order_failed(shop, order_id):
    event_id = str(uuid.uuid4())
    shop.kafka.send(shop.topic("order-failed"), str(order_id), json.dumps(
        {"eventId": event_id, "orderId": order_id, "failedStep": "SHIPPING", "reason": "NO_ROUTE"}).encode(), {"id": event_id})


def paid(shop, order_id, amount):
    event_id = str(uuid.uuid4())
    shop.kafka.send(shop.topic("payment-completed"), str(order_id), json.dumps(
        {"eventId": event_id, "paymentId": f"pay-{order_id}", "orderId": order_id, "amount": amount}).encode(), {"id": event_id})


def test_g1_a_refusal_that_comes_back_restores_no_stock_that_was_never_taken(published):
    shop = published.shop
    failed = published.topic("order-failed")
    if not published.take(2, 51):
        published.send(failed, {"productId": 2, "quantity": 51})
    for event in published.read(failed):  # the inventory group reads the topic that it writes
        published.give_back(event["productId"], event["quantity"])
    assert published.quantity(2) == 101, "one unit more than there ever was, and fifty more to come"

    shop.run_relay()
    assert shop.place(7, 2, 51)[1] == "FAILED"
    wait_seen(shop, "order-failed")
    assert shop.available(2) == 50
    shop.reconciled()


def test_g2_a_crash_after_the_commit_takes_no_event_with_it(published):
    shop = published.shop
    with published.connect() as service:
        service.execute("INSERT INTO published.orders VALUES (1, 1, 1, 'CREATED')")
        service.commit()
        end_session(shop, service)  # before the thread that runs after the commit has written the outbox
    assert published.query("SELECT status FROM published.orders") == [("CREATED",)]
    assert published.query("SELECT * FROM published.outbox_event") == [], "nobody will hear of it"

    shop.run_relay()
    app = shop.connect()
    order_id = place(app, 7, 1, 3)[0]
    end_session(shop, app)
    app = shop.connect(autocommit=False)
    undone = place(app, 8, 1, 3)[0]
    end_session(shop, app)  # before the commit: neither the order nor its event
    audit.wait_delivered(shop)
    assert {r.key for r in shop.records("order-created")} == {str(order_id)}
    assert shop.status(undone) is None and shop.available(1) == 97


def test_g3_two_relays_publish_each_event_once(published):
    shop = published.shop
    topic = published.topic("events")
    published.query("INSERT INTO published.outbox_event (payload, status) SELECT n::text, 'READY' FROM generate_series(1, 20) n")

    def ready():
        return published.query("SELECT event_id, payload FROM published.outbox_event WHERE status = 'READY'")
    for batch in [ready(), ready()]:  # both schedulers look before either has marked what it sends
        for row in batch:
            published.send(topic, row.payload)
            published.query("UPDATE published.outbox_event SET status = 'SENT' WHERE event_id = %s", row.event_id)
    assert shop.kafka.count(topic) == 40

    shop.run_relay("first")
    second = shop.relay("second").start()
    wait_until(second.live, "the second relay answers")
    for user in range(20):
        shop.place(user, 3, 1)
    assert audit.wait_delivered(shop).duplicates == 0
    assert shop.kafka.count(shop.topic("order-created")) == 20


def test_g3_an_event_is_done_with_when_the_broker_has_it_and_not_before(published):
    """Also what a service loses that sends to the broker and has no outbox at all."""
    shop = published.shop
    topic = published.topic("events")
    shop.run_relay()
    published.query("INSERT INTO published.outbox_event (payload, status) VALUES ('paid', 'READY')")
    errors = []
    shop.kafka.stop()
    try:
        producer = Producer({"bootstrap.servers": shop.kafka.address, "message.timeout.ms": 500, "log_level": 0})
        for row in published.query("UPDATE published.outbox_event SET status = 'SENT' WHERE status = 'READY' RETURNING payload"):
            producer.produce(topic, row.payload, on_delivery=lambda error, _: errors.append(error.code()))
        producer.produce(topic, "sent without an outbox", on_delivery=lambda error, _: errors.append(error.code()))
        producer.flush(10)
        order_id = shop.place(7, 1, 3)[0]
    finally:
        shop.kafka.start()
    assert errors == [KafkaError._MSG_TIMED_OUT] * 2
    assert published.query("SELECT count(*) FROM published.outbox_event WHERE status = 'READY'") == [(0,)], "nobody sends it again"
    assert shop.kafka.count(topic) == 0

    audit.wait_delivered(shop)
    assert [r.key for r in shop.records("order-created")] == [str(order_id)]


def test_g4_a_crash_leaves_no_request_processing_for_ever(published):
    shop = published.shop
    topic = published.topic("order-request")
    with published.connect() as service:
        service.execute("INSERT INTO published.order_trace VALUES (gen_random_uuid(), 'PROCESSING')")
        service.commit()  # the status store has it
        end_session(shop, service)  # and the broker never gets it
    assert published.query("SELECT status FROM published.order_trace") == [("PROCESSING",)] and shop.kafka.count(topic) == 0

    shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"))
    shop.run_relay(inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    app = shop.connect()
    trace_id = shop.submit(7, 1, 3, app)
    end_session(shop, app)
    app = shop.connect(autocommit=False)
    undone = shop.submit(8, 1, 3, app)
    end_session(shop, app)
    wait_until(lambda: shop.value("SELECT status FROM holdfast.order_request WHERE trace_id = %s", trace_id) == "COMPLETED",
               "the request is answered")
    audit.wait_delivered(shop)
    assert shop.value("SELECT count(*) FROM holdfast.order_request") == 1
    assert str(undone) not in {r.key for r in shop.records("order-request")}


def test_g5_sold_out_is_an_outcome_and_only_errors_are_dead_letters(published):
    shop = published.shop
    requests, dead = published.topic("order-request"), published.topic("order-request-dlq")
    wanted = [{"productId": 2, "quantity": 50}, {"productId": 2, "quantity": 1}, {"productId": None, "quantity": "one"}]
    for event in wanted:
        published.send(requests, event)
    for event in published.read(requests):
        try:
            if not published.take(event["productId"], int(event["quantity"])):
                raise ValueError("out of stock")
        except ValueError:
            published.send(dead, event)
    assert published.read(dead) == wanted[1:], "nothing tells the customer who came too late from the bug"

    shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"))
    shop.run_relay(inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    traces = [str(uuid.uuid4()) for _ in wanted]
    for user, (trace_id, line) in enumerate(zip(traces, wanted, strict=True)):
        shop.kafka.send(shop.topic("order-request"), trace_id, json.dumps(
            {"traceId": trace_id, "userId": user, "lines": [line]}).encode())
    letter, = wait_until(lambda: shop.records("order-request-dlq"), "the dead letter is published")
    assert (letter.key, json.loads(letter.value)["sqlstate"]) == (traces[2], "HF001")
    refusal, = wait_until(lambda: shop.records("order-failed"), "the refusal is published")
    assert (json.loads(refusal.value)["reason"], json.loads(refusal.value)["traceId"]) == ("OUT_OF_STOCK", traces[1])
    answers = {str(r.trace_id): (r.status, r.reason) for r in shop.query("SELECT * FROM holdfast.order_request")}
    assert answers == dict(zip(traces, [("COMPLETED", None), ("FAILED", "OUT_OF_STOCK"), ("FAILED", "DEAD_LETTER")], strict=True))


@pytest.mark.parametrize("saga", SAGAS)
def test_g6_money_for_what_is_out_of_stock_goes_back(published, saga):
    shop = published.shop
    published.query("INSERT INTO published.orders VALUES (1, 2, 51, 'CREATED')")
    published.query("INSERT INTO published.payment VALUES ('pay-1', 1, 'COMPLETED')")  # pay first, and then
    if not published.take(2, 51):
        pass  # rollbackInventory(): there is nothing to roll back
    assert published.query("SELECT o.status, p.status AS payment FROM published.orders o JOIN published.payment p USING (order_id)") == [
        ("CREATED", "COMPLETED")], "paid, nothing for it, and nobody is told"

    shop.run_relay()
    options = {"saga": saga} if saga != "reserve_first" else {}
    order_id, status, _ = shop.place(7, 2, 40, options=options)
    assert status == "PENDING"
    if saga == "reserve_first":  # it loses its units to somebody else before the money comes
        expire(shop, order_id)
        shop.wait_status(order_id, "EXPIRED")
    assert shop.place(8, 2, 40)[1] == "PENDING"
    paid(shop, order_id, 1_000_000)
    refund, = wait_until(lambda: shop.records("refund-requested"), "a refund is asked for")
    told = json.loads(refund.value)
    assert (told["orderId"], told["paymentId"], told["amount"]) == (order_id, f"pay-{order_id}", 1_000_000)
    assert shop.status(order_id) in ("EXPIRED", "FAILED") and shop.available(2) == 10
    assert [json.loads(r.value)["orderId"] for r in shop.records("order-failed")] == [order_id]
    shop.reconciled()


def test_g7_a_failure_that_overtakes_its_order_leaves_nothing_held(published):
    shop = published.shop
    failed, created = published.topic("order-failed"), published.topic("order-created")
    published.send(created, {"orderId": 1, "productId": 1, "quantity": 3})
    published.send(failed, {"orderId": 1, "productId": 1, "quantity": 3})
    reserved = set()
    for event in published.read(failed):  # two topics have no order between them
        if event["orderId"] in reserved:
            published.give_back(event["productId"], event["quantity"])
    for event in published.read(created):
        published.take(event["productId"], event["quantity"])
        reserved.add(event["orderId"])
    assert published.quantity(1) == 97, "held for an order that has failed, and nobody will say so again"

    shop.run_relay()
    order_id = shop.value("SELECT holdfast.next_order_id()", user="shop_app")
    order_failed(shop, order_id)
    wait_seen(shop, "order-failed")
    assert shop.place(7, 1, 3, options={"orderId": order_id})[1] == "FAILED"
    assert shop.available(1) == 100
    shop.reconciled()


def test_g7_a_payment_after_the_expiry_sells_nothing_twice(published):
    shop = published.shop
    published.query("UPDATE published.inventory SET quantity = 0 WHERE product_id = 2")
    published.query("INSERT INTO published.orders VALUES (1, 2, 50, 'CREATED')")
    published.give_back(2, 50)  # the order took too long
    assert published.take(2, 50)  # and somebody else has bought them
    published.query("INSERT INTO published.orders VALUES (2, 2, 50, 'COMPLETED')")
    published.query("UPDATE published.orders SET status = 'COMPLETED' WHERE order_id = 1")  # on payment-completed
    assert published.query("SELECT sum(quantity)::int FROM published.orders WHERE status = 'COMPLETED'") == [(100,)], "of 50 units"

    shop.run_relay()
    late = shop.place(7, 2, 50)[0]
    expire(shop, late)
    shop.wait_status(late, "EXPIRED")
    other = shop.place(8, 2, 50)[0]
    paid(shop, other, 1_250_000)
    paid(shop, late, 1_250_000)
    shop.wait_status(other, "COMPLETED")
    refund, = wait_until(lambda: shop.records("refund-requested"), "the late money goes back")
    assert json.loads(refund.value)["orderId"] == late
    assert shop.query("SELECT sum(quantity)::int FROM holdfast.reservation WHERE state = 'SOLD'") == [(50,)]
    shop.reconciled()


def test_g8_a_repetition_and_a_second_event_of_a_payment_can_be_told_apart(published):
    shop = published.shop
    topic = published.topic("payment-event")
    for _ in ("paid", "given back", "given back, delivered again"):
        shop.kafka.send(topic, None, b"pay-1")
    bare = [(r.key, r.value, r.headers) for r in shop.kafka.read(topic)]
    assert bare == [(None, b"pay-1", {})] * 3, "whoever skips what it knows loses one, whoever does not repeats one"

    shop.query("CREATE TABLE published.told (payment_id text, status text);"
               "CREATE FUNCTION published.tell(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER AS"
               " $$ INSERT INTO published.told VALUES (value->>'paymentId', value->>'status') $$;"
               "GRANT USAGE ON SCHEMA published TO shop_relay")
    shop.kafka.create(shop.topic("payment-event-dlq"))
    shop.run_relay(inbox=[shop.binding("payment-event", "published.tell")])
    app = shop.connect()
    order_id = place(app, 7, 1, 3)[0]
    app.execute("CALL holdfast.begin_payment(%s, NULL, 'pay-1')", (order_id,))
    app.execute("CALL holdfast.complete_payment('pay-1', 'TX-1')")
    app.execute("CALL holdfast.refund_payment('pay-1')")
    audit.wait_delivered(shop)
    records = shop.records("payment-event")
    again = records[-1]
    shop.kafka.send(again.topic, again.key, again.value, again.headers)
    consumed = "SELECT sum(next_offset)::int FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(consumed, shop.topic("payment-event")) == 3, "all three are consumed")
    assert len({r.id for r in records}) == 2
    assert sorted(published.query("SELECT * FROM published.told")) == [("pay-1", "COMPLETED"), ("pay-1", "REFUND_PENDING")]


def test_g9_a_hold_that_nobody_pays_for_ends(published):
    shop = published.shop
    assert published.take(2, 50)  # for a buyer who has closed the page
    assert not published.take(2, 1), "and so it stays"

    shop.run_relay()
    order_id = shop.place(7, 2, 50, options={"holdSeconds": 1})[0]
    assert shop.place(8, 2, 1)[1] == "FAILED"
    shop.wait_status(order_id, "EXPIRED")
    assert shop.place(8, 2, 1)[1] == "PENDING"
    shop.reconciled()


def test_g9_an_order_of_several_lines_gets_all_of_them_or_none(published):
    shop = published.shop
    lines = [(1, 3), (2, 51)]
    for product_id, quantity in lines:  # one order, and one event, for each line
        published.take(product_id, quantity)
    assert (published.quantity(1), published.quantity(2)) == (97, 50), "half of an order is reserved"

    answer = shop.query("CALL holdfast.place_order(7, %s::jsonb)", Jsonb(
        [{"productId": p, "quantity": n} for p, n in lines]), user="shop_app")[0]
    assert (answer.status, answer.detail["lines"]) == ("FAILED", [{"productId": 2, "requested": 51, "available": 50}])
    assert (shop.available(1), shop.available(2)) == (100, 50)
    shop.reconciled()


def test_g9_baskets_that_cross_do_not_deadlock(published):
    shop = published.shop
    lock = "SELECT FROM published.inventory WHERE product_id = %s FOR UPDATE"
    with published.connect() as one, published.connect() as other:
        one.execute("SET LOCAL deadlock_timeout = '50ms'")
        one.execute(lock, (1,))
        other.execute(lock, (2,))
        failed = []

        def cross(connection, product_id):
            try:
                connection.execute(lock, (product_id,))
                connection.commit()
            except psycopg.errors.DeadlockDetected as e:
                connection.rollback()
                failed.append(e)
        threads = [threading.Thread(target=cross, args=where) for where in ((one, 2), (other, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(failed) == 1

    answers, errors = [], []

    def buy(user, products):
        try:
            with shop.connect() as app:
                for _ in range(25):
                    answers.append(app.execute("CALL holdfast.place_order(%s, %s::jsonb)", (user, Jsonb(
                        [{"productId": p, "quantity": 1} for p in products]))).fetchone().status)
        except psycopg.Error as e:
            errors.append(e)
    threads = [threading.Thread(target=buy, args=(user, products)) for user, products in enumerate(([1, 2], [2, 1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and answers == ["PENDING"] * 50
    assert (shop.available(1), shop.available(2)) == (50, 0)
    shop.reconciled()

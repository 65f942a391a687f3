"""What a shop's services rely on around the main job: groups, names of topics, offsets, and payments that
outlive a crash."""

import json
import threading
import uuid

import pytest
from harness import audit
from harness.shop import place
from harness.waiting import wait_until


@pytest.fixture
def notebook(shop):
    """A shop with a handler of its own, which writes keys down."""
    shop.query("CREATE SCHEMA notebook; CREATE TABLE notebook.note (key text);"
               "CREATE FUNCTION notebook.write_down(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER"
               " AS 'INSERT INTO notebook.note VALUES (key)'; GRANT USAGE ON SCHEMA notebook TO shop_relay")
    return shop


def notes(shop):
    return sorted(int(r.key) for r in shop.query("SELECT key FROM notebook.note"))


def consumed(shop, topic, group):
    return shop.value("SELECT coalesce(sum(next_offset), 0)::int FROM holdfast.inbox_offset WHERE topic = %s AND consumer = %s",
                      shop.topic(topic), group)


def wait_consumed(shop, topic, group, count):
    wait_until(lambda: consumed(shop, topic, group) == count, lambda: f"{group} has consumed {count}; {consumed(shop, topic, group)}")


def paid(shop, topic, order_id, amount):
    event_id = str(uuid.uuid4())
    shop.kafka.send(topic, str(order_id), json.dumps(
        {"eventId": event_id, "paymentId": f"pay-{order_id}", "orderId": order_id, "amount": amount}).encode(), {"id": event_id})


def test_relays_of_one_group_share_order_failed_and_another_group_gets_all_of_it(notebook):
    shop = notebook
    inventory, order_service = f"{shop.prefix}holdfast", f"{shop.prefix}order-service"
    bindings = [shop.binding("order-failed", "holdfast.on_order_failed"),
                shop.binding("order-failed", "notebook.write_down", group=order_service)]
    shop.run_relay("first", inbox=bindings)
    shop.relay("second", inbox=bindings[:1]).start()
    owners = "SELECT count(DISTINCT owner) FROM holdfast.inbox_offset WHERE consumer = %s"
    wait_until(lambda: shop.value(owners, inventory) == 2, "both relays own partitions")
    refused = [shop.place(7, 2, 51)[0] for _ in range(30)]
    for group in (inventory, order_service):
        wait_consumed(shop, "order-failed", group, 30)
    assert notes(shop) == refused
    seen = shop.query("SELECT consumer, count(*) FROM holdfast.inbox_seen GROUP BY 1 ORDER BY 1")
    assert seen == [(inventory, 30), (order_service, 30)]
    assert shop.value(owners, inventory) == 2 and shop.available(2) == 50


def test_a_service_that_comes_later_reads_from_the_beginning(notebook):
    shop = notebook
    shop.run_relay()
    orders = [shop.place(user, 3, 1)[0] for user in range(5)]
    audit.wait_delivered(shop)
    newcomer = f"{shop.prefix}newcomer"
    shop.relay("newcomer", inbox=[shop.binding("order-created", "notebook.write_down", group=newcomer)]).start()
    wait_consumed(shop, "order-created", newcomer, 5)
    orders.append(shop.place(7, 3, 1)[0])
    wait_consumed(shop, "order-created", newcomer, 6)
    assert notes(shop) == orders


def test_an_inbox_that_is_set_back_reads_again_and_repeats_nothing(notebook):
    shop = notebook
    group = f"{shop.prefix}reader"
    relay = shop.run_relay(inbox=[shop.binding("order-created", "notebook.write_down", group=group)])
    orders = [shop.place(user, 3, 1)[0] for user in range(20)]
    wait_consumed(shop, "order-created", group, 20)
    assert relay.terminate()[0] == 0
    shop.query("UPDATE holdfast.inbox_offset SET next_offset = 0 WHERE consumer = %s", group)
    relay.start().wait_ready()
    wait_consumed(shop, "order-created", group, 20)
    assert notes(shop) == orders
    wait_until(lambda: relay.metrics().get("holdfast_relay_inbox_duplicates_total") == 20, "the repetitions are counted")


def test_payment_processed_is_another_name_of_payment_completed(shop):
    topic = shop.topic("payment-processed")
    shop.kafka.create(topic, f"{topic}-dlq")
    shop.run_relay(inbox=[shop.binding("payment-processed", "holdfast.on_payment_completed")])
    order_id = shop.place(7, 1, 3)[0]
    paid(shop, topic, order_id, 30_000)
    shop.wait_status(order_id, "COMPLETED")


def test_topics_may_carry_a_version_in_their_names(shop):
    """As docs/message-format.md says how."""
    names = ("order-created", "inventory-updated", "inventory-reserved", "payment-completed", "order-events",
             "payment-event")
    request, dead = shop.topic("order-request-v1"), shop.topic("order-request-dlq-v1")
    shop.kafka.create(*(shop.topic(f"{name}-v1") for name in names), request, dead)
    prefix = shop.prefix.replace(".", "[.]")
    shop.run_relay(
        outbox={"route.topic.regex": f"^(?:{prefix})?(?<routedByValue>.*?)(?:-v1)?(?<dlq>-dlq)?$",
                "route.topic.replacement": f"{shop.prefix}${{routedByValue}}${{dlq}}-v1"},
        inbox=[shop.binding("order-request-v1", "holdfast.on_order_request"),
               shop.binding("payment-completed-v1", "holdfast.on_payment_completed")])
    trace_id, wrong = shop.submit(7, 1, 3), shop.submit(8, 99)
    status = "SELECT holdfast.order_status(%s::uuid)"
    wait_until(lambda: shop.value(status, trace_id)["status"] == "COMPLETED", "the request is placed")
    order_id = shop.value(status, trace_id)["orderId"]
    paid(shop, shop.topic("payment-completed-v1"), order_id, 30_000)
    shop.wait_status(order_id, "COMPLETED")
    letter, = wait_until(lambda: shop.kafka.read(dead), "the dead letter is published")
    assert letter.key == str(wrong)
    assert [r.key for r in shop.kafka.read(shop.topic("order-created-v1"))] == [str(order_id)]
    assert shop.kafka.count(shop.topic("order-created")) == 0


def test_a_payment_that_was_begun_outlives_a_crash_and_is_listed_until_it_has_an_outcome(shop):
    shop.run_relay()
    order_id = shop.place(7, 1, 3)[0]
    with shop.connect() as app:
        app.execute("SET holdfast.payment_timeout = '1s'")
        app.execute("CALL holdfast.begin_payment(%s, NULL, 'pay-1')", (order_id,))
    shop.cluster.restart("immediate")  # while the payment service is being asked
    overdue = "SELECT payment_id, attempt, amount, order_status FROM holdfast.pending_payments"
    listed = wait_until(lambda: shop.query(overdue, user="shop_admin"), "the payment is listed")
    assert listed == [("pay-1", 1, 30_000, "PENDING")]
    shop.query("CALL holdfast.complete_payment('pay-1', 'TX-1')", user="shop_app")
    assert shop.status(order_id) == "COMPLETED" and shop.query(overdue, user="shop_admin") == []
    audit.wait_delivered(shop)


def test_an_answer_that_overtakes_the_commit_of_its_order_waits_for_it(shop):
    """What is flushed is in Kafka, and others see it only when its commit is over: with a synchronous standby
    that is the standby's whole round trip later."""
    shop.run_relay()
    shop.cluster.admin("ALTER ROLE shop_relay SET synchronous_commit = 'local'")
    shop.cluster.set(synchronous_standby_names="nobody")
    orders = []

    def buy():
        with shop.connect(autocommit=False) as app:
            orders.extend(place(app, user, 1, 1)[0] for user in range(3))
            app.commit()
    thread = threading.Thread(target=buy)
    try:
        shop.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop_relay'"
                   " AND backend_type = 'client backend'")
        thread.start()
        wait_until(lambda: len(shop.records("order-created")) == 3, "the orders are told of")
        assert shop.query("SELECT * FROM holdfast.orders") == [], "and nobody sees them"
        paid(shop, shop.topic("payment-completed"), orders[0], 10_000)
        for topic, order_id in zip(("payment-failed", "order-failed"), orders[1:], strict=True):
            shop.kafka.send(shop.topic(topic), str(order_id), json.dumps(
                {"eventId": topic, "paymentId": topic, "orderId": order_id, "reason": "NO"}).encode(), {"id": topic})
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop_relay' AND wait_event = 'transactionid'"
        letters = "SELECT count(*) FROM holdfast.dead_letter"
        wait_until(lambda: shop.value(waiting) or shop.value(letters), "an answer waits")
        assert shop.value(letters) == 0
    finally:
        shop.cluster.set(synchronous_standby_names=None)
        thread.join()
        shop.cluster.admin("ALTER ROLE shop_relay RESET synchronous_commit")
    for order_id, status in zip(orders, ("COMPLETED", "FAILED", "FAILED"), strict=True):
        shop.wait_status(order_id, status)
    assert shop.query("SELECT * FROM holdfast.dead_letter") == shop.query("SELECT * FROM holdfast.order_tombstone") == []
    shop.reconciled()

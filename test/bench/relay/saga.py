"""The way back: how fast compensations are applied and metrics folded, and a whole saga there and back."""

import sys
import time

from confluent_kafka import Producer
from harness.shop import place
from harness.waiting import wait_until
from report import Row, percentile

PRODUCTS = 1_000
ORDERS = """
CREATE PROCEDURE pg_temp.orders(orders int, products int) LANGUAGE plpgsql AS $$
DECLARE order_id bigint; status text; detail jsonb;
BEGIN
    FOR n IN 1 .. orders LOOP
        order_id := NULL;
        CALL holdfast.place_order_item(n, 1 + n % products, 1, NULL, NULL, order_id, status, detail);
        IF n % 200 = 0 THEN COMMIT; END IF;
    END LOOP;
    COMMIT;
END $$
"""


def compensations(shop, orders, say):
    """Messages a second of a backlog of order-failed, each of which gives stock back."""
    say(f"{orders:,} orders to compensate")
    with shop.connect("postgres") as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(ORDERS)
        connection.execute("DO $$ BEGIN FOR p IN 1 .. %d LOOP CALL holdfast.set_product(p, 'p' || p, 100, on_hand => 1000000); END LOOP; END $$"
                           % PRODUCTS)
        connection.execute(f"CALL pg_temp.orders({orders}, {PRODUCTS})")
    shop.query("VACUUM ANALYZE")
    ids = [r.order_id for r in shop.query("SELECT order_id FROM holdfast.orders WHERE status = 'PENDING' ORDER BY 1")]
    assert len(ids) == orders
    rate = applied_per_second(shop, "order-failed", "holdfast.on_order_failed", ((
        str(order_id), f"bench-{order_id}",
        f'{{"eventId":"bench-{order_id}","eventType":"OrderFailed","schemaVersion":1,"orderId":{order_id},'
        '"failedStep":"PAYMENT","reason":"DECLINED","message":"no money"}') for order_id in ids))
    failed = shop.value("SELECT count(*) FROM holdfast.orders WHERE status = 'FAILED'")
    reserved = shop.value("SELECT sum(reserved) FROM holdfast.stock")
    assert (failed, reserved) == (orders, 0), (failed, reserved)
    say(f"{rate:,.0f} compensations a second")
    return rate


def folding(shop, events, say):
    """Messages a second of a backlog of catalog-events, summed up in product_metric."""
    say(f"{events:,} catalog events to fold")
    shop.kafka.create("catalog-events", "catalog-events-dlq", partitions=shop.partitions)
    rate = applied_per_second(shop, "catalog-events", "holdfast.on_catalog_event", ((
        str(1 + n % PRODUCTS), f"fold-{n}",
        f'{{"eventId":"fold-{n}","eventType":"ProductViewed","schemaVersion":1,"occurredAt":"2026-01-01T00:00:00.000000Z",'
        f'"productId":{1 + n % PRODUCTS},"kind":"VIEWED","delta":1}}') for n in range(events)))
    views = shop.value("SELECT sum(views) FROM holdfast.product_metric")
    assert views == events, views
    say(f"{rate:,.0f} catalog events a second")
    return rate


def applied_per_second(shop, topic, call, messages):
    """Produce (key, id, value) of all messages, then let one relay apply them; how fast it does."""
    count = 0
    producer = Producer({"bootstrap.servers": shop.kafka.address, "partitioner": "murmur2", "linger.ms": 20,
                         "queue.buffering.max.messages": 1_000_000})
    for key, event_id, value in messages:
        producer.produce(topic, key=key, headers={"id": event_id}, value=value)
        count += 1
    producer.flush()
    name = f"inbox_{topic.replace('-', '_')}"
    relay = shop.relay(name, postgres={"slot": name}, inbox=[shop.binding(topic, call)])
    relay.start("--create-slot")
    progress = []

    def done():
        applied = shop.value("SELECT coalesce(sum(next_offset), 0)::bigint FROM holdfast.inbox_offset WHERE topic = %s", topic)
        if applied:
            progress.append((time.monotonic(), applied))
        return applied >= count
    wait_until(done, lambda: f"{count} are applied; {progress[-1:]}", 300)
    relay.terminate()
    shop.cluster.drop_slot(name)
    (began, before), (ended, after) = progress[0], progress[-1]
    return (after - before) / (ended - began)


def round_trips(shop, count, say):
    """Milliseconds from CALL to COMPLETED, one order after another, with a payment service that takes
    no time."""
    relay = shop.run_relay("saga", postgres={"slot": "saga"})
    shop.payment_service()
    took = []
    with shop.connect() as buyer:
        for n in range(count + 20):
            began = time.monotonic()
            order_id, _, _ = place(buyer, n, 1, 1)
            while buyer.execute("SELECT holdfast.order_status(%s::bigint)->>'status'", (order_id,)).fetchone()[0] != "COMPLETED":
                time.sleep(0.0005)
                if time.monotonic() - began > 30:
                    sys.exit(f"order {order_id} did not complete: see {relay.log}")
            took.append((time.monotonic() - began) * 1000)
    took = took[20:]  # the first ones warm up
    say(f"round trip over {count} orders: p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms")
    relay.terminate()
    shop.cluster.drop_slot("saga")
    return percentile(took, 0.5), percentile(took, 0.99)


def run(shop, orders, events, trips, say):
    rate = compensations(shop, orders, say)
    folded = folding(shop, events, say)
    p50, p99 = round_trips(shop, trips, say)
    return [
        Row("inbox: `order-failed` compensated", f"{rate:,.0f}/s", "≥ 5,000/s", rate >= 5_000),
        Row("inbox: `catalog-events` folded into `product_metric`", f"{folded:,.0f}/s", "≥ 20,000/s", folded >= 20_000),
        Row("saga round trip, CALL to COMPLETED, p50", f"{p50:.1f} ms", "≤ 25 ms", p50 <= 25),
        Row("saga round trip, p99", f"{p99:.1f} ms", "", None),
    ], [f"Inbox: {orders:,} orders of {PRODUCTS:,} products, a topic of 4 partitions, one relay, which publishes the events of the "
        "compensations at the same time.", f"Metrics: {events:,} events of {PRODUCTS:,} products and one day, a topic of 4 partitions, one relay.",
        "Round trip: `examples/payment_service.py` without delay; one order after another."]

"""Asynchronous intake: orders placed in batches by a caller, and a flood of order requests through Kafka."""

import json
import random
import time
import uuid

from confluent_kafka import Producer
from harness.waiting import wait_until
from report import Row

PRODUCTS = 100
BATCH = 50


def order(user):
    return {"userId": user, "lines": [{"productId": random.randint(1, PRODUCTS), "quantity": 1}]}


def batches(shop, seconds, say):
    """Orders a second of one connection that calls place_orders with fifty at a time."""
    calls = [json.dumps([order(n * BATCH + i) for i in range(BATCH)]) for n in range(200)]
    with shop.connect() as connection:
        began, placed = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            connection.execute("CALL holdfast.place_orders(%s::jsonb)", (calls[placed // BATCH % len(calls)],), prepare=True)
            placed += BATCH
        rate = placed / (time.monotonic() - began)
    assert shop.value("SELECT count(*) FROM holdfast.orders WHERE status = 'PENDING'") == placed
    say(f"{rate:,.0f} orders a second in batches of {BATCH}")
    return rate


def flood(shop, requests, say):
    """Requests a second that one relay places from a backlog in a topic of one partition."""
    shop.kafka.create("order-request", "order-request-dlq", partitions=1)
    say(f"{requests:,} requests")
    producer = Producer({"bootstrap.servers": shop.kafka.address, "partitioner": "murmur2", "linger.ms": 20,
                         "queue.buffering.max.messages": requests + 1})
    for n in range(requests):
        trace_id = str(uuid.uuid4())
        producer.produce("order-request", key=trace_id, headers={"id": trace_id},
                         value=json.dumps({"traceId": trace_id, "schemaVersion": 1, **order(n)}))
    producer.flush()
    relay = shop.relay("intake", postgres={"slot": "intake"}, inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    relay.start("--create-slot")
    applied = "SELECT coalesce(sum(next_offset), 0)::bigint FROM holdfast.inbox_offset WHERE topic = 'order-request'"
    progress = []

    def done():
        count = shop.value(applied)
        if count:
            progress.append((time.monotonic(), count))
        return count >= requests
    wait_until(done, lambda: f"{requests} are placed; {progress[-1:]}", 300)
    (began, before), (ended, after) = progress[0], progress[-1]
    rate = (after - before) / (ended - began)
    answered = shop.value("SELECT count(*) FROM holdfast.order_request WHERE status = 'COMPLETED'")
    assert answered == requests, answered
    say(f"{rate:,.0f} requests a second")
    relay.terminate()
    shop.cluster.drop_slot("intake")
    return rate


def run(shop, requests, seconds, say):
    for product in range(1, PRODUCTS + 1):
        shop.product(product, 1_000, 100_000_000)
    batch_rate = batches(shop, seconds, say)
    flood_rate = flood(shop, requests, say)
    return [
        Row(f"`place_orders` of {BATCH}, one connection", f"{batch_rate:,.0f} orders/s", "≥ 15,000/s", batch_rate >= 15_000),
        Row("`order-request` placed by one relay", f"{flood_rate:,.0f}/s", "≥ 6,000/s", flood_rate >= 6_000),
    ], [f"Intake: orders of one line over {PRODUCTS} products. Batches: {seconds} s without a slot. Requests: a backlog of {requests:,} in one "
        "partition; the relay publishes the orders' events at the same time."]

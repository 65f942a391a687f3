"""Asynchronous intake: orders placed in batches by a caller, a flood of order requests through Kafka, and a
rush of buyers who all want an answer."""

import json
import random
import time
import uuid

import pgbench
from confluent_kafka import Producer
from harness.waiting import wait_until
from report import Row, percentile

PRODUCTS = 100
BATCH = 50
RUSHES = 5
# A thousand users want one of five hundred units of three products.
UNITS = (200, 200, 100)
RUSH = """\\set n :n + 1
\\set user :client_id * 10 + :n
\\set product :first + :user % 3
SELECT holdfast.submit_order(:user, jsonb_build_array(jsonb_build_object('productId', :product::bigint, 'quantity', 1)));
"""


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


def rushes(shop, say):
    """Seconds from the last request to the last answer, of a thousand requests at once, a few times."""
    relay = shop.run_relay("rush", postgres={"slot": "rush"}, inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    took = []
    for n in range(RUSHES):
        first = PRODUCTS + 1 + n * len(UNITS)
        for product, units in enumerate(UNITS, first):
            shop.product(product, 1_000, units)
        began = shop.value("SELECT clock_timestamp()")
        asked = pgbench.run(shop, RUSH, "-D", "n=0", "-D", f"first={first}", "-c", 100, "-j", 1, "-t", 10)
        left = "SELECT count(*) FROM holdfast.order_request WHERE status = 'PROCESSING'"
        wait_until(lambda: shop.value(left) == 0, lambda: f"every request is answered; {shop.value(left)} are not", 60)
        answers = dict(shop.query("SELECT status, count(*) FROM holdfast.order_request WHERE created_at >= %s GROUP BY 1", began))
        assert answers == {"COMPLETED": sum(UNITS), "FAILED": len(asked) - sum(UNITS)}, answers
        last = shop.value("SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 FROM holdfast.order_request"
                          " WHERE created_at >= %s", began)
        took.append(max(last - asked[-1].done_s, 0.0))
        say(f"{len(asked):,} requests within {asked[-1].done_s - asked[0].began_s:.2f} s, the last answer {took[-1]:.2f} s later")
    relay.terminate()
    shop.cluster.drop_slot("rush")
    return took


def run(shop, requests, seconds, say):
    for product in range(1, PRODUCTS + 1):
        shop.product(product, 1_000, 100_000_000)
    batch_rate = batches(shop, seconds, say)
    flood_rate = flood(shop, requests, say)
    answered = rushes(shop, say)
    return [
        Row(f"`place_orders` of {BATCH}, one connection", f"{batch_rate:,.0f} orders/s", "≥ 15,000/s", batch_rate >= 15_000),
        Row("`order-request` placed by one relay", f"{flood_rate:,.0f}/s", "≥ 6,000/s", flood_rate >= 6_000),
        Row("1,000 requests at once: the last answer after the last request, slowest", f"{max(answered):.2f} s", "≤ 1 s", max(answered) <= 1),
    ], [f"Intake: orders of one line over {PRODUCTS} products. Batches: {seconds} s without a slot. Requests: a backlog of {requests:,} in one "
        "partition; the relay publishes the orders' events at the same time.",
        f"Requests at once: 100 connections submit 10 each, for one of {sum(UNITS)} units of {len(UNITS)} products; one partition; {len(answered)} times, "
        f"median {percentile(answered, 0.5):.2f} s. The last answer is PostgreSQL's timestamp of its commit."]

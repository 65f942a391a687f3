#!/usr/bin/env python3
"""A payment service for a holdfast saga, small enough to copy.

It consumes `inventory-reserved`, asks a payment provider for the money, and answers `payment-completed`
or `payment-failed`, with the order's id as the key, so that the answers to one order stay in order.
With --pay-first it charges for orders of the saga pay_first too, which are paid before their stock is
taken: their `order-created` says so.

Three rules make it safe to kill at any moment:

* An offset is committed only after Kafka has acknowledged the answers, so no order goes unanswered.
* An order is then, now and then, asked twice.  All ids are derived from the order's id, so the second
  answer is the same as the first: the provider charges once (the transaction key is its idempotency
  key), and whoever reads the answers recognises the repetition by its `id` header.
* The stock is held by a reservation, not by a lock: however long the provider takes, nobody waits.

    pip install confluent-kafka
    payment_service.py --bootstrap-servers 127.0.0.1:9092
"""

import argparse
import json
import signal
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from confluent_kafka import Consumer, KafkaException, Producer

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "payment.holdfast.example")


def charge(order_id, amount, transaction_key, options):
    """The payment provider.  Returns why it declines, or None when it has the money.

    A real one is called over the network and gets `transaction_key` as its idempotency key; this one
    only takes its time."""
    time.sleep(options.delay_ms / 1000)
    return "LIMIT_EXCEEDED" if amount >= options.decline_at else None


def is_to_be_charged(event):
    return event["eventType"] == "InventoryReserved" or event.get("saga") == "pay_first"


def answer(event, options):
    """(topic, key, value, headers) that answers one event that asks for a payment."""
    order_id = event["orderId"]
    amount = event["amount"] if "amount" in event else event["finalTotalAmount"]
    payment_id = str(uuid.uuid5(NAMESPACE, f"payment:{order_id}"))
    transaction_key = f"TX-{payment_id[:8].upper()}-{order_id}"
    declined = charge(order_id, amount, transaction_key, options)

    topic, kind = ("payment-failed", "PaymentFailed") if declined else ("payment-completed", "PaymentCompleted")
    event_id = str(uuid.uuid5(NAMESPACE, f"{topic}:{order_id}"))
    value = {
        "eventId": event_id,
        "eventType": kind,
        "schemaVersion": 1,
        "occurredAt": datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "paymentId": payment_id,
        "orderId": order_id,
        "userId": event["userId"],
        "amount": amount,
    }
    if event.get("traceId"):
        value["traceId"] = event["traceId"]
    if declined:
        value["reason"] = declined
    else:
        value |= {"transactionKey": transaction_key, "cardType": "CREDIT"}
    headers = {"id": event_id, "eventType": kind}
    return topic, str(order_id), json.dumps(value).encode(), headers


def say(event, **fields):
    print(f"event={event}", *(f"{name}={value}" for name, value in fields.items()), file=sys.stderr, flush=True)


def serve(options, stopping):
    consumer = Consumer({
        "bootstrap.servers": options.bootstrap_servers,
        "group.id": options.group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "fetch.wait.max.ms": 10,
        "session.timeout.ms": 6000,  # another instance takes over from one that was killed after so long
    })
    producer = Producer({
        "bootstrap.servers": options.bootstrap_servers,
        "enable.idempotence": True,  # and so acks=all
        "partitioner": "murmur2",  # the same partition as every Java client gives to the key
        "linger.ms": 0,
    })
    failures = []

    def delivered(error, message):
        if error is not None:
            failures.append(error)

    topics = ["inventory-reserved"] + (["order-created"] if options.pay_first else [])
    consumer.subscribe([options.topic_prefix + topic for topic in topics],
                       on_assign=lambda _, partitions: say("assigned", partitions=len(partitions)))
    say("started", group=options.group, decline_at=options.decline_at, delay_ms=options.delay_ms)
    with ThreadPoolExecutor(options.concurrency) as provider_calls:
        while not stopping:
            batch = []
            # One message at once, so that a lone order does not wait for company; then what is there already.
            for message in consumer.consume(1, timeout=0.2) or []:
                batch = [message, *consumer.consume(options.concurrency - 1, timeout=0)]
            for message in batch:
                if message.error() and message.error().fatal():
                    raise KafkaException(message.error())
            events = [json.loads(m.value()) for m in batch if not m.error()]
            if not events:
                continue
            to_charge = filter(is_to_be_charged, events)
            for topic, key, value, headers in provider_calls.map(lambda e: answer(e, options), to_charge):
                producer.produce(options.topic_prefix + topic, key=key, value=value, headers=headers,
                                 on_delivery=delivered)
            if producer.flush(30) or failures:
                # Not committed: the next start answers these orders again, with the same ids.
                raise RuntimeError(f"Kafka did not take every answer: {failures[:1]}")
            consumer.commit(asynchronous=False)
            if options.verbose:
                say("answered", orders=len(events))
    consumer.close()
    say("stopped")


def main():
    parser = argparse.ArgumentParser(description="answers inventory-reserved with payment-completed or payment-failed")
    parser.add_argument("--bootstrap-servers", default="127.0.0.1:9092")
    parser.add_argument("--group", default="payment", help="consumer group (default: %(default)s)")
    parser.add_argument("--topic-prefix", default="", help="put before every topic's name")
    parser.add_argument("--decline-at", type=int, default=50_000, metavar="AMOUNT", help="decline from this amount on")
    parser.add_argument("--pay-first", action="store_true", help="charge for orders of the saga pay_first, when they are created")
    parser.add_argument("--delay-ms", type=int, default=0, help="how long the payment provider takes")
    parser.add_argument("--concurrency", type=int, default=64, help="payments in flight at most")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()

    stopping = []  # filled by a signal; the batch in hand is finished first
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(True))
    serve(options, stopping)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A producer alone, in a process of its own: records of the size of an outbox event at a rate, as they would come from a
reader of no cost that sends each by itself.

    producer.py ADDRESS TOPIC RATE SECONDS

The key of a record is the time at which it was produced, in microseconds, and differs from all others.
"""

import random
import subprocess
import sys
import time

VALUE = b"x" * 250


def start(address, topic, rate, seconds):
    return subprocess.Popen([sys.executable, __file__, address, topic, str(rate), str(seconds)])


def main(address, topic, rate, seconds):
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True, "linger.ms": 0, "log_level": 0})
    due, stamp = time.time(), 0
    end = due + float(seconds)
    while due < end:
        due += random.expovariate(float(rate))  # as pgbench -R spaces its transactions
        wait = due - time.time()
        if wait > 0:
            time.sleep(wait)
        stamp = max(time.time_ns() // 1000, stamp + 1)
        producer.produce(topic, VALUE, key=str(stamp))
        producer.poll(0)
    if producer.flush(60):
        sys.exit("producer: Kafka has not acknowledged everything")


if __name__ == "__main__":
    main(*sys.argv[1:])

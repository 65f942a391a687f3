"""How long an event takes from its commit to a consumer, at 1,000 transactions a second; what the relay
costs when there is nothing to do; and how soon the first event is there after a start."""

import json
import threading
import time

import pgbench
from confluent_kafka import TopicPartition
from harness.waiting import wait_until
from report import Row, percentile

RATE = 1_000
WARM_UP_S = 20  # of these two cores the broker's just-in-time compilers take one at first
SCRIPT = """\\set n random(1, 1000000)
SELECT holdfast.emit('latency', :n::text, 'Tick', jsonb_build_object('at', extract(epoch FROM clock_timestamp()),
 'text', 'about two hundred and fifty bytes with the rest of the event: some words of no importance, and some more'));
"""


class Consumer(threading.Thread):
    """Notes when each record of a topic arrives, from now's end on."""

    def __init__(self, kafka, topic):
        super().__init__(daemon=True)
        self._consumer = kafka.consumer(**{"fetch.wait.max.ms": 5, "fetch.error.backoff.ms": 1})
        self._consumer.assign([TopicPartition(topic, p, end) for p, end in enumerate(kafka.end_offsets(topic))])
        self.arrivals = []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and not message.error():
                self.arrivals.append((time.time(), message.value()))
        self._consumer.close()

    def stop(self):
        self.ended.set()
        self.join()


def at_rate(shop, seconds, say):
    shop.kafka.create("latency", partitions=1)
    relay = shop.run_relay("latency", postgres={"slot": "latency"})
    consumer = Consumer(shop.kafka, "latency")
    consumer.start()
    wait_until(lambda: shop.emit("latency", "k", {"at": 0}) and consumer.arrivals, "the consumer is there")
    skip = RATE * WARM_UP_S
    written_ones = pgbench.run(shop, SCRIPT, "-c", 4, "-j", 1, "-R", RATE, "-T", seconds + WARM_UP_S)
    statements = [(t.done_s - t.began_s) * 1000 for t in written_ones][skip:]
    written = int(shop.value("SELECT count(*) FROM holdfast.outbox WHERE aggregatetype = 'latency'"))
    wait_until(lambda: len(consumer.arrivals) >= written, lambda: f"{len(consumer.arrivals)} of {written} arrived")
    consumer.stop()
    took = [(at - json.loads(value)["at"]) * 1000 for at, value in consumer.arrivals]
    took = [ms for ms in took if ms < 1e9][skip:]
    rate = len(written_ones) / (written_ones[-1].done_s - written_ones[0].done_s)
    p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
    statement = percentile(statements, 0.5), percentile(statements, 0.99)
    say(f"latency over {len(took):,} events: p50 {p50:.2f} ms, p90 {percentile(took, 0.9):.2f} ms, p99 {p99:.2f} ms, "
        f"max {max(took):.1f} ms ({rate:.0f}/s); the statement alone: p50 {statement[0]:.2f} ms, p99 {statement[1]:.2f} ms")
    idle = idle_cpu(relay, 10)
    say(f"idle: {idle:.2%} of a core")
    relay.terminate()
    return p50, p99, statement, idle


def idle_cpu(relay, seconds):
    """Share of one core over a while in which nothing is written."""
    before = relay.usage()[0]
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, "the time is over", seconds + 5)
    return (relay.usage()[0] - before) / seconds


def first_event(shop, say):
    """Seconds from process start to the arrival of an event that was waiting."""
    took = []
    for n in range(5):
        consumer = Consumer(shop.kafka, "latency")
        consumer.start()
        shop.emit("latency", "k", {"n": n})
        relay = shop.relay(f"first_{n}", postgres={"slot": "latency"})
        began = time.time()
        relay.start()
        wait_until(lambda consumer=consumer: consumer.arrivals, "the event arrives")
        took.append(consumer.arrivals[0][0] - began)
        consumer.stop()
        relay.terminate()
    say(f"first event after {', '.join(f'{s:.2f}' for s in took)} s")
    return percentile(took, 0.5)


def run(shop, seconds, say):
    p50, p99, statement, idle = at_rate(shop, seconds, say)
    first = first_event(shop, say)
    shop.cluster.drop_slot("latency")
    return [
        Row(f"commit to consumer at {RATE:,}/s, p50", f"{p50:.2f} ms", "≤ 2 ms", p50 <= 2),
        Row(f"commit to consumer at {RATE:,}/s, p99", f"{p99:.2f} ms", "≤ 8 ms", p99 <= 8),
        Row("the same events' INSERT and COMMIT at the client, p50 / p99", f"{statement[0]:.2f} / {statement[1]:.2f} ms", "", None),
        Row("idle CPU, of one core", f"{idle:.2%}", "< 1 %", idle < 0.01),
        Row("process start to first event", f"{first:.2f} s", "≤ 0.5 s", first <= 0.5),
    ], [f"Latency: one event a transaction from 4 `pgbench` connections for {seconds} s, after {WARM_UP_S} s to warm up; the clock starts inside the statement, before "
        "the commit and its flush, and stops in a Python consumer (which adds its own wake-up)."]

"""A random walk: buyers, a payment service and accidents do to a shop what they like, until it comes to rest.

Everybody has a random generator of his own, seeded with the walk's, so that one seed makes the same
decisions again; how the threads interleave is up to the machine.
"""

import heapq
import itertools
import json
import os
import random
import signal
import threading
import time
from collections import Counter

import psycopg
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from psycopg.types.json import Jsonb

from . import audit
from .kafka import Topics
from .shop import IN_TOPICS, expire
from .waiting import wait_until
from .walk_model import PAYERS, PRICES, SAGAS, TOPICS, Model, name_of

HOLDS_S = (2, 5, 10, 30)
BOUND = (*IN_TOPICS, "order-request")

PENDING = "orders WHERE status = 'PENDING'"
HELD = "reservation WHERE state = 'HELD'"
PAYING = "payment WHERE status IN ('PENDING', 'REFUND_PENDING')"
PROCESSING = "order_request WHERE status = 'PROCESSING'"
EARLY = "dead_letter WHERE status = 'EARLY'"


class Walk:
    def __init__(self, shop, seed, buyers=3):
        self.shop = shop
        self.seed = seed
        self.model = Model()
        self._chance = random.Random(f"{seed} accidents")
        shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"), partitions=shop.partitions)
        for product, price in PRICES.items():
            units = self._chance.randint(20, 120)
            shop.product(product, price, units)
            self.model.book(product, units)
        self.relay = shop.run_relay(inbox=[shop.binding(t, f"holdfast.on_{t.replace('-', '_')}") for t in BOUND])
        self.service = PaymentService(self)
        self.buyers = [Buyer(self, n) for n in range(buyers)]
        self.accidents = Counter()
        self._asking = shop.kafka.consumer()

    def run(self, seconds):
        """Walk, rest, and check; how many orders ended how."""
        actors = [self.service, *self.buyers]
        for actor in actors:
            actor.start()
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self._pause(min(self._chance.uniform(1, 6), end - time.monotonic()))
                self._accident()
            for buyer in self.buyers:
                buyer.finish()
            wait_until(self._rests, lambda: f"all rests; {self._state()[0]}", 60)
        finally:
            for actor in actors:
                actor.end()
            self._asking.close()
        topics = {self.shop.topic(t) for t in TOPICS}
        audit.wait_delivered(self.shop, producers=2)
        records = [r for r in self.shop.kafka.read(*topics, *audit.outbox(self.shop)) if "resent" not in r.headers]
        audit.audit(self.shop, records)
        return self.model.check(self.shop, [r for r in records if r.topic in topics])

    def fail_if_any_failed(self):
        for actor in (self.service, *self.buyers):
            if actor.error is not None:
                raise actor.error
        assert self.relay.running(), f"the relay ended\n{self.relay.log_text()[-2000:]}"

    def _pause(self, seconds):
        end = time.monotonic() + seconds

        def over():
            self.fail_if_any_failed()
            return time.monotonic() >= end
        wait_until(over, "the pause is over", seconds + 60)

    # ---- accidents
    def _accident(self):
        what, = self._chance.choices((self._kill_relay, self._end_a_backend, self._kill_a_backend, self._crash), (60, 26, 7, 7))
        self.accidents[what.__name__.strip("_")] += 1
        what()

    def _kill_relay(self):
        self.relay.kill()
        self.relay.start()

    def _some_backend(self):
        found = wait_until(lambda: self._backends(), "the server answers", 60)
        return self._chance.choice(found) if found is not True else None

    def _backends(self):
        try:
            return [r.pid for r in self.shop.cluster.admin(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type IN ('client backend', 'walsender')"
                " ORDER BY backend_start", self.shop.name)] or True
        except psycopg.OperationalError:
            return None  # it is still recovering from the last accident

    def _end_a_backend(self):
        if (pid := self._some_backend()) is not None:
            self.shop.cluster.admin("SELECT pg_terminate_backend(%s)", pid)

    def _kill_a_backend(self):
        if (pid := self._some_backend()) is not None and self.shop.cluster.owns(pid):
            os.kill(pid, signal.SIGKILL)

    def _crash(self):
        self.shop.cluster.restart("immediate")

    # ---- rest
    def _rests(self):
        """Nothing is under way, and nothing comes of it either."""
        self.fail_if_any_failed()
        try:
            under_way, ends = self._state()
            if not under_way:
                return self._state() == ({}, ends)
            if under_way.keys() <= {PENDING, HELD}:
                for order in self.shop.query("SELECT order_id FROM holdfast." + PENDING):
                    expire(self.shop, order.order_id)  # nobody will pay for it any more
                    self.shop.query("UPDATE holdfast.saga_instance SET deadline = now() WHERE order_id = %s", order.order_id)
        except psycopg.OperationalError as e:
            if is_answer(e):
                raise
        return False

    def _state(self):
        """({what is under way: how much}, how far each topic has come)."""
        shop = self.shop
        ends = {t: shop.kafka.end_offsets(shop.topic(t), self._asking) for t in {*BOUND, *PaymentService.TOPICS}}
        consumed = dict(shop.query("SELECT topic, sum(next_offset)::int FROM holdfast.inbox_offset GROUP BY topic"))
        told = shop.query("SELECT aggregatetype, count(*)::int FROM holdfast.outbox GROUP BY aggregatetype")
        under_way = {f"{t} to be applied": sum(ends[t]) - consumed.get(shop.topic(t), 0) for t in BOUND}
        under_way |= {f"{topic} to be published": max(0, n - sum(ends[topic])) for topic, n in told if topic in ends}
        under_way |= {f"{t} to be heard": sum(ends[t]) - self.service.heard[t] for t in PaymentService.TOPICS}
        under_way |= {what: shop.value(f"SELECT count(*) FROM holdfast.{what}") for what in (PENDING, HELD, PAYING, PROCESSING, EARLY)}
        under_way |= {"answers of the payment service": self.service.owes()}
        return {what: n for what, n in under_way.items() if n}, ends



def is_answer(error):
    """Not an accident: the server says no, or has found a deadlock, which is no accident either."""
    return bool(error.sqlstate) and error.sqlstate[:2] not in ("08", "53", "57")


class Actor:
    """A thread that ends when it is told to, and keeps the error that ended it earlier."""

    def __init__(self, walk, name):
        self.walk = walk
        self.shop = walk.shop
        self.model = walk.model
        self.chance = random.Random(f"{walk.seed} {name}")
        self.error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name=name)
        self._connections = {}

    def start(self):
        self._thread.start()

    def end(self):
        self._stop.set()
        self._thread.join()
        for connection in self._connections.values():
            connection.close()

    def _guarded(self):
        try:
            self.work()
        except BaseException as e:  # noqa: BLE001  raised again by Walk
            self.error = e

    def ask(self, statement, *args, user="shop_app"):
        """Run a statement until the server has answered it, through every accident: the first row."""
        def answer():
            try:
                connection = self._connections.get(user)
                if connection is None or connection.closed:
                    connection = self._connections[user] = self.shop.connect(user)
                cursor = connection.execute(statement, args or None)
                return (cursor.fetchone() if cursor.description else None,)
            except psycopg.OperationalError as e:
                if is_answer(e):
                    raise
                failed.append(e)
                return None
        failed = []
        return wait_until(answer, lambda: f"the server answers: {failed[-1]}", 60)[0]

    def allowed(self, statement, *args, states=("HF008",)):
        """As ask(), for a call that may come too late: None then."""
        try:
            return self.ask(statement, *args)
        except psycopg.DatabaseError as e:
            if e.sqlstate not in states:
                raise
            return None


class Buyer(Actor):
    def __init__(self, walk, number):
        super().__init__(walk, f"buyer {number}")
        self._later = []
        self._count = itertools.count()
        self._finishing = threading.Event()
        self._kafka = Topics(self.shop.kafka.address)
        self._restocks = 0

    def finish(self):
        """Begin nothing new, and wait for what is begun."""
        self._finishing.set()

        def finished():
            self.walk.fail_if_any_failed()
            return not self._thread.is_alive()
        wait_until(finished, f"{self._thread.name} has finished", 120)

    def work(self):
        while not self._stop.is_set() and (self._later or not self._finishing.is_set()):
            if self._later and (self._finishing.is_set() or self._later[0][0] <= time.monotonic()):
                step, args = heapq.heappop(self._later)[2:]
                step(*args)
            else:
                (self._order if self.chance.random() < 0.9 else self._restock)()
                self._finishing.wait(self.chance.expovariate(20))

    def _after(self, seconds, step, *args):
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._count), step, args))

    def _some_lines(self):
        products = self.chance.sample(sorted(PRICES), self.chance.choice((1, 1, 1, 2, 3)))
        return {p: self.chance.randint(1, 3) for p in products}

    def _want(self, payer=None, early=0):
        if payer is None:
            payer, = self.chance.choices(PAYERS, (60, 25, 7, early))
        return self.model.want(payer, self.chance.choice(SAGAS), self._some_lines(), self.chance.choice(HOLDS_S))

    # ---- orders
    def _order(self):
        way, = self.chance.choices((self._place, self._submit, self._place_many, self._fail_and_place), (65, 20, 10, 5))
        way()

    def _place(self):
        wanted = self._want(early=12)
        if wanted.payer == "early":
            wanted.order_id = self.ask("SELECT holdfast.next_order_id()")[0]
            payment_id = name_of("early", wanted.user_id)
            self.model.provider.charge(payment_id, wanted.order_id, wanted.total)
            wanted.ends.add("payment-completed")
            self._tell("payment-completed", wanted.order_id, name_of("paid", payment_id), paymentId=payment_id, amount=wanted.total,
                       transactionKey=f"TX-{payment_id}")
            self._after(self.chance.uniform(0, 0.5), self._place_at, wanted)
        else:
            self._place_at(wanted)

    def _place_at(self, wanted):
        options = wanted.options | ({} if wanted.order_id is None else {"orderId": wanted.order_id})
        row = self.ask("CALL holdfast.place_order(%s::bigint, %s::jsonb, %s::text, %s::jsonb)", wanted.user_id,
                       Jsonb(wanted.request), f"cart-{wanted.user_id}", Jsonb(options))
        self._placed(wanted, row.order_id, row.status)

    def _place_many(self):
        many = [self._want() for _ in range(self.chance.randint(2, 5))]
        results = self.ask("CALL holdfast.place_orders(%s::jsonb)", Jsonb([
            {"userId": w.user_id, "lines": w.request, "idempotencyKey": f"cart-{w.user_id}", "options": w.options}
            for w in many])).results
        for wanted, result in zip(many, results, strict=True):
            self._placed(wanted, result["orderId"], result["status"])

    def _submit(self):
        wanted = self._want()
        wanted.trace_id = self.ask("SELECT holdfast.submit_order(%s, %s, %s, %s)", wanted.user_id, Jsonb(wanted.request),
                                   f"cart-{wanted.user_id}", Jsonb(wanted.options))[0]
        self._after(0.2, self._look, wanted)

    def _look(self, wanted):
        answer = self.ask("SELECT holdfast.order_status(%s::uuid, %s)", wanted.trace_id, wanted.user_id)[0]
        if answer["status"] == "PROCESSING":
            self._after(0.2, self._look, wanted)
            self._stop.wait(0.02)
        else:
            self._placed(wanted, answer["orderId"], {"COMPLETED": "PENDING"}.get(answer["status"], answer["status"]))

    def _fail_and_place(self):
        """The compensation overtakes the order."""
        wanted = self._want("nobody")
        wanted.order_id = self.ask("SELECT holdfast.next_order_id()")[0]
        self._order_failed(wanted)
        self._after(self.chance.uniform(0, 0.4), self._place_at, wanted)

    def _placed(self, wanted, order_id, status):
        assert status in ("PENDING", "FAILED"), f"{wanted} is answered {status}"
        wanted.order_id, wanted.accepted = order_id, status == "PENDING"
        for chance, step in ((0.12, self._cancel), (0.1, self._order_failed), (0.04, self._fail), (0.05, self._extend),
                             (0.1, self._ask_back)):
            if self.chance.random() < chance:
                self._after(self.chance.choice((0, 0.1, 1, 3)), step, wanted)
        if wanted.payer == "application" and wanted.accepted:
            self._after(self.chance.choice((0, 0.1, 1, 2)), self._pay, wanted, 1)

    # ---- what happens to them
    def _cancel(self, wanted):
        wanted.ends.add("cancel_order")
        if self.allowed("CALL holdfast.cancel_order(%s, 'CHANGED_MIND')", wanted.order_id) is not None:
            wanted.answers.add("CANCELLED")

    def _fail(self, wanted):
        wanted.ends.add("fail_order")
        if self.allowed("CALL holdfast.fail_order(%s, 'NO_ROUTE')", wanted.order_id) is not None:
            wanted.answers.add("FAILED")

    def _extend(self, wanted):
        self.allowed("CALL holdfast.extend_hold(%s, '1 s')", wanted.order_id)

    def _order_failed(self, wanted):
        """Another service's news; it may say so twice, in the same words or in others."""
        wanted.ends.add("order-failed")
        for again in self.chance.choice(((0,), (0,), (0, 0), (0, 1))):
            self._tell("order-failed", wanted.order_id, name_of("failed", wanted.user_id, again), failedStep="SHIPPING",
                       reason="NO_ROUTE", message="told by another service")

    def _pay(self, wanted, attempt):
        payment_id = f"app-{wanted.user_id}-{attempt}"
        part = wanted.total // 2 if attempt == 1 and wanted.total > 1 and self.chance.random() < 0.5 else None
        begun = self.allowed("CALL holdfast.begin_payment(%s, %s, %s)", wanted.order_id, part, payment_id, states=("HF008", "HF011"))
        if begun is None:
            return
        self._after(self.chance.choice((0, 0.1, 0.5, 3)), self._answer, wanted, attempt, payment_id, begun.detail["amount"])

    def _answer(self, wanted, attempt, payment_id, amount):
        if self.chance.random() < 0.7:
            self.model.provider.charge(payment_id, wanted.order_id, amount)
            wanted.ends.add("complete_payment")
            done = self.ask("CALL holdfast.complete_payment(%s, %s, 'CREDIT')", payment_id, f"TX-{payment_id}")
            if done.detail["orderStatus"] != "PENDING":
                wanted.answers.add(done.detail["orderStatus"])
        else:
            again = attempt < 4 and self.chance.random() < 0.7
            wanted.ends.add("fail_payment")
            done = self.ask("CALL holdfast.fail_payment(%s, 'LIMIT_EXCEEDED', retryable => %s)", payment_id, again)
        if done.detail["orderStatus"] == "PENDING" and self.chance.random() < 0.7:
            self._after(self.chance.choice((0, 0.1, 1)), self._pay, wanted, attempt + 1)

    def _ask_back(self, wanted):
        """The buyer returns what he has paid and got."""
        status = self.ask("SELECT holdfast.order_status(%s::bigint)", wanted.order_id)[0]
        paid = [p for p in status["payments"] if p["status"] == "COMPLETED"]
        if status["status"] == "COMPLETED" and paid:
            payment = self.chance.choice(paid)
            wanted.asked_back[payment["paymentId"]] = payment["amount"]
            self.ask("CALL holdfast.refund_payment(%s, 'RETURNED')", payment["paymentId"])

    def _restock(self):
        self._restocks += 1
        reason, product, units = f"{self._thread.name}, {self._restocks}", self.chance.choice(sorted(PRICES)), self.chance.randint(1, 12)

        # restock() has no idempotency key: after an accident the ledger tells whether it was done.
        while self.ask("SELECT 1 FROM holdfast.stock_ledger WHERE reason = %s", reason, user="postgres") is None:
            try:
                with self.shop.connect("shop_admin") as connection:
                    connection.execute("CALL holdfast.restock(%s, %s, %s)", (product, units, reason))
            except psycopg.OperationalError as e:
                if is_answer(e):
                    raise
        self.model.book(product, units)

    def _tell(self, topic, order_id, event_id, **members):
        self._kafka.send(self.shop.topic(topic), str(order_id), json.dumps(
            {"eventId": event_id, "orderId": order_id, **members}).encode(), {"id": event_id})


class PaymentService(Actor):
    """Hears of orders and takes the money, in all the ways in which such a service may do that badly: late,
    twice, in the wrong order, and with one answer and then another.  It gives back what it is asked to.

    It repeats some of the shop's own messages too, as any broker may."""

    TOPICS = ("order-created", "inventory-reserved", "refund-requested", "order-failed")

    def __init__(self, walk):
        super().__init__(walk, "payment service")
        self.heard = Counter()
        self._due = []
        self._count = itertools.count()
        self._kafka = Topics(self.shop.kafka.address)
        self._known = set()

    def owes(self):
        return len(self._due)

    def work(self):
        consumer = self._kafka.consumer()
        try:
            consumer.assign([TopicPartition(self.shop.topic(t), p, OFFSET_BEGINNING)
                             for t in self.TOPICS for p in range(self.shop.partitions)])
            while not self._stop.is_set():
                for message in consumer.consume(200, timeout=0.02):
                    if message.error():
                        continue
                    topic = message.topic().removeprefix(self.shop.prefix)
                    self._hear(topic, message)
                    self.heard[topic] += 1
                while self._due and self._due[0][0] <= time.monotonic():
                    step, args = self._due[0][2:]
                    step(*args)
                    heapq.heappop(self._due)
        finally:
            consumer.close()

    def _later(self, seconds, step, *args):
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._count), step, args))

    def _hear(self, topic, message):
        headers = {name: value.decode() for name, value in message.headers() or []}
        if topic == "order-failed":
            self._repeat(message, headers)
            return
        event = json.loads(message.value())
        if topic == "refund-requested":
            self._refund(event)
        else:
            wanted = self.model.wanted[event["userId"]]
            if wanted.payer == "service" and topic == {"pay_first": "order-created"}.get(wanted.saga, "inventory-reserved"):
                assert event.get("amount", event.get("finalTotalAmount")) == wanted.total, event
                self._serve(wanted, event["orderId"])

    def _serve(self, wanted, order_id):
        """A repeated order is served as it was the first time, with the same ids."""
        chance = random.Random(f"{self.walk.seed} {wanted.user_id}")
        way, = chance.choices(("paid", "twice", "declined", "paid after all", "paid two times", "another card", "silent"),
                              (50, 14, 14, 6, 5, 6, 5))

        def delay():
            return chance.choice((0, 0, 0, 0.05, 0.2, 1, 4))
        first = delay()
        if way in ("paid", "twice", "paid two times"):
            self._later(first, self._paid, wanted, order_id, 1, 1)
        if way == "twice":
            self._later(delay(), self._paid, wanted, order_id, 1, 1)
            self._later(delay(), self._paid, wanted, order_id, 1, 2)
        elif way == "paid two times":
            self._later(delay(), self._paid, wanted, order_id, 2, 1)
        elif way in ("declined", "paid after all"):
            self._later(first, self._declined, wanted, order_id, None)
            if way == "paid after all":
                self._later(delay(), self._paid, wanted, order_id, 1, 1)
        elif way == "another card":
            self._later(first, self._declined, wanted, order_id, True)
            self._later(first + delay(), self._paid, wanted, order_id, 2, 1)

    def _paid(self, wanted, order_id, payment, message):
        payment_id = name_of("payment", wanted.user_id, payment)
        self.model.provider.charge(payment_id, order_id, wanted.total)
        wanted.ends.add("payment-completed")
        self._tell("payment-completed", order_id, name_of(payment_id, "completed", message), paymentId=payment_id,
                   transactionKey=f"TX-{payment_id}", amount=wanted.total, cardType="CREDIT", userId=wanted.user_id)

    def _declined(self, wanted, order_id, retryable):
        payment_id = name_of("payment", wanted.user_id, 1)
        wanted.ends.add("payment-failed")
        self._tell("payment-failed", order_id, name_of(payment_id, "failed"), paymentId=payment_id, amount=wanted.total,
                   reason="LIMIT_EXCEEDED", userId=wanted.user_id, **({} if retryable is None else {"retryable": retryable}))

    def _refund(self, event):
        self.model.provider.refund(event["paymentId"], event["amount"], event["idempotencyKey"])
        if event["eventId"] not in self._known:
            self._known.add(event["eventId"])
            self.ask("CALL holdfast.refund_payment(%s, refunded => true)", event["paymentId"])

    def _repeat(self, message, headers):
        if self.chance.random() < 0.1 and "resent" not in headers:
            self._later(self.chance.uniform(0, 1), self._kafka.send, message.topic(), message.key(), message.value(),
                        {**headers, "resent": "true"})
        if self.chance.random() < 0.02:
            event_id = name_of("poison", self.heard.total())
            self.model.poison.add(event_id)
            self._later(0, self._kafka.send, self.shop.topic(self.chance.choice(BOUND)), event_id, b"no json", {"id": event_id})

    def _tell(self, topic, order_id, event_id, **members):
        self._kafka.send(self.shop.topic(topic), str(order_id), json.dumps(
            {"eventId": event_id, "orderId": order_id, "schemaVersion": 1, **members}).encode(), {"id": event_id})

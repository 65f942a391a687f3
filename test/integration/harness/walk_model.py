"""What a random walk has to end in: what was asked for and answered, the money that was taken, and the
checks that compare both with the tables and with Kafka.

Buyers race with payment services, timeouts and crashes, so the model does not foretell how an order ends.
It knows which ends were possible, and what each of them has to leave behind.
"""

import json
import threading
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field

# Each order of a walk takes one of these at random.  In pay_first nothing is held until the money is there, and
# when the units are short then, the order fails and the money goes back.
SAGAS = ["reserve_first", "pay_first"]
# A payment service that hears of the order, the application itself, nobody, or somebody who has paid before
# the order is placed.
PAYERS = ("service", "application", "nobody", "early")

PRICES = {1: 10_000, 2: 25_000, 3: 5_000, 4: 700, 5: 1}

# {what ends an order, as its history says it: how it then ends}
ENDS = {"complete_payment": "COMPLETED", "payment-completed": "COMPLETED", "fail_payment": "FAILED", "payment-failed": "FAILED",
        "fail_order": "FAILED", "order-failed": "FAILED", "cancel_order": "CANCELLED", "expire_holds": "EXPIRED", "saga_sweep": "EXPIRED"}
TOPICS = ("order-created", "inventory-reserved", "inventory-updated", "inventory-released", "order-events", "order-failed",
          "refund-requested", "payment-event", "payment-completed", "payment-failed", "order-request")

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "walk.holdfast.example")


def name_of(*parts):
    """The same id for the same thing, so that a repetition can be recognised."""
    return str(uuid.uuid5(NAMESPACE, ":".join(map(str, parts))))


@dataclass
class Wanted:
    """An order that somebody wanted.  Each has a user of its own, whose id tells which saga it takes and who
    pays: it is all that a payment service gets to see."""

    user_id: int
    lines: dict  # {product: quantity}
    hold_s: int
    order_id: int | None = None
    trace_id: str | None = None  # of one that was submitted
    accepted: bool | None = None  # by the answer that placed it
    ends: set = field(default_factory=set)  # of ENDS, each named before it is tried
    answers: set = field(default_factory=set)  # ends that a call has answered with
    asked_back: dict = field(default_factory=dict)  # {payment id: amount} of a COMPLETED order

    @property
    def total(self):
        return sum(PRICES[p] * n for p, n in self.lines.items())

    @property
    def saga(self):
        return SAGAS[self.user_id % 10]

    @property
    def payer(self):
        return PAYERS[self.user_id // 10 % 10]

    @property
    def request(self):
        return [{"productId": p, "quantity": n} for p, n in self.lines.items()]

    @property
    def options(self):
        return {"holdSeconds": self.hold_s} | ({} if self.saga == "reserve_first" else {"saga": self.saga})

    def __str__(self):
        return f"order {self.order_id} of user {self.user_id} ({self.saga}, {self.payer} pays)"


class Provider:
    """Who has the money: takes it once per payment, and gives it back once per key."""

    def __init__(self):
        self.charged = {}  # {payment id: (order id, amount)}
        self.refunded = {}  # {payment id: amount}
        self._keys = set()
        self._lock = threading.Lock()

    def charge(self, payment_id, order_id, amount):
        with self._lock:
            first = self.charged.setdefault(payment_id, (order_id, amount))
            assert first == (order_id, amount), f"payment {payment_id} was {first}, and is {(order_id, amount)}"

    def refund(self, payment_id, amount, key):
        with self._lock:
            if key in self._keys:
                return
            self._keys.add(key)
            assert payment_id in self.charged, f"payment {payment_id} was never taken and is to be given back"
            assert amount == self.charged[payment_id][1], f"{amount} of payment {payment_id} are to be given back"
            assert payment_id not in self.refunded, f"payment {payment_id} is to be given back twice, the second time as {key}"
            self.refunded[payment_id] = amount


class Model:
    def __init__(self):
        self.wanted = {}  # {user id: Wanted}
        self.on_hand = Counter()
        self.provider = Provider()
        self.poison = set()  # event ids of messages that cannot be applied
        self._lock = threading.Lock()

    def want(self, payer, saga, lines, hold_s):
        with self._lock:
            user_id = (len(self.wanted) + 1) * 100 + PAYERS.index(payer) * 10 + SAGAS.index(saga)
            wanted = self.wanted[user_id] = Wanted(user_id, lines, hold_s)
            return wanted

    def book(self, product_id, units):
        with self._lock:
            self.on_hand[product_id] += units

    # ---- at the end
    def check(self, shop, records):
        """`records`: all of TOPICS, from Kafka."""
        events = _Events(shop, records)
        orders = {r.user_id: r for r in shop.query("SELECT * FROM holdfast.orders")}
        assert shop.value("SELECT count(*) FROM holdfast.orders") == len(orders), "somebody has got two orders"
        assert set(orders) == set(self.wanted), "every order that was wanted is there, and no other"
        reservations, history, payments = (_by_order(shop, table) for table in ("reservation", "order_history", "payment"))
        sold = Counter()
        for user_id, row in orders.items():
            wanted = self.wanted[user_id]
            assert wanted.order_id in (None, row.order_id), f"{wanted} is order {row.order_id}"
            wanted.order_id = row.order_id
            assert (row.original_total_amount, row.final_total_amount) == (wanted.total, wanted.total), wanted
            self._check_end(wanted, row, history[row.order_id])
            self._check_units(wanted, row, reservations[row.order_id])
            self._check_money(wanted, row, payments[row.order_id], events)
            self._check_events(wanted, row, history[row.order_id], events)
            if row.status == "COMPLETED":
                sold.update(wanted.lines)
        events.check_nothing_left()
        self._check_sagas(shop)
        self._check_stock(shop, sold, events)
        self._check_letters(shop)
        return Counter(row.status for row in orders.values())

    def _check_end(self, wanted, row, history):
        ends = [(h.cause, h.status) for h in history if h.cause in ENDS]
        if wanted.accepted is False:
            assert row.status == "FAILED" and ends == [], f"{wanted} was refused: {row.status}, {ends}"
            return
        if wanted.saga == "pay_first" and row.failure_step == "RESERVE":
            assert row.status == "FAILED" and wanted.ends & {"payment-completed", "complete_payment"}, f"{wanted} was not paid"
            return
        assert len(ends) == 1, f"{wanted} ended {len(ends)} times: {ends}"
        (cause, status), = ends
        assert status == row.status == ENDS[cause], f"{wanted} is {row.status}, its history says {ends}"
        timeout = {"reserve_first": "expire_holds"}.get(wanted.saga, "saga_sweep")
        assert cause in wanted.ends | {timeout}, f"{wanted} was ended by {cause}; tried were {wanted.ends}"
        assert wanted.answers <= {row.status}, f"{wanted} is {row.status}, and the answer was {wanted.answers}"
        if cause == timeout:
            assert row.updated_at >= row.expires_at, f"{wanted} expired before its time"

    def _check_sagas(self, shop):
        """Each is at an end that its order is at too, and nothing of it is under way or half undone."""
        states = {r.order_id: r for r in shop.query("SELECT * FROM holdfast.saga")}
        assert len(states) == len(self.wanted)
        for wanted in self.wanted.values():
            saga = states[wanted.order_id]
            end = "COMPLETED" if saga.order_status == "COMPLETED" else "COMPENSATED"
            assert (saga.state, saga.step, saga.deadline) == (end, None, None), f"{wanted}: {saga}"
            if wanted.accepted is not False:
                assert saga.saga == wanted.saga, f"{wanted}: {saga}"
        assert shop.query("SELECT * FROM holdfast.saga_step WHERE ended_at IS NULL OR status IN ('PENDING', 'STARTED')") == []
        twice = shop.query("SELECT order_id, step, direction FROM holdfast.saga_step WHERE status = 'DONE' GROUP BY 1, 2, 3 HAVING count(*) > 1")
        assert twice == [], f"done twice: {twice}"

    @staticmethod
    def _check_units(wanted, row, reservations):
        holds = wanted.accepted is not False and (wanted.saga == "reserve_first" or row.status == "COMPLETED")
        state = {"COMPLETED": "SOLD", "EXPIRED": "EXPIRED"}.get(row.status, "RELEASED")
        expected = {(p, n, state) for p, n in wanted.lines.items()} if holds else set()
        assert {(r.product_id, r.quantity, r.state) for r in reservations} == expected, f"{wanted} is {row.status}: {reservations}"

    def _check_money(self, wanted, row, payments, events):
        charged = {p: amount for p, (order_id, amount) in self.provider.charged.items() if order_id == row.order_id}
        refunded = {p: self.provider.refunded[p] for p in charged if p in self.provider.refunded}
        kept = sum(charged.values()) - sum(refunded.values())
        due = wanted.total - sum(wanted.asked_back.values()) if row.status == "COMPLETED" else 0
        assert kept == due, f"{wanted} is {row.status}: {kept} of {charged} are kept, and {due} should be"
        assert wanted.asked_back.keys() <= refunded.keys(), wanted
        for payment in payments:
            expected = "REFUNDED" if payment.payment_id in refunded else "COMPLETED" if payment.payment_id in charged else "FAILED"
            assert payment.status == expected, f"payment {payment.payment_id} of {wanted} is {payment.status}, not {expected}"
        assert set(charged) <= {p.payment_id for p in payments}, f"not every payment of {wanted} is known: {payments}"
        for payment_id in charged:
            asked = events.take("refund-requested", payment_id)
            assert len(asked) == (payment_id in refunded), f"refunds of payment {payment_id} of {wanted}: {asked}"

    @staticmethod
    def _check_events(wanted, row, history, events):
        failed = row.status != "COMPLETED"
        told_by_others = any(h.cause == "order-failed" for h in history)
        reserved = wanted.accepted is not False and wanted.saga == "reserve_first"
        expected = {
            "order-created": wanted.accepted is not False,
            "order-failed": failed and not told_by_others,
            "order-events": wanted.accepted is not False,
            "inventory-released": failed and reserved,
        } | ({"inventory-reserved": reserved} if wanted.saga == "reserve_first" else {})
        for topic, wanted_events in expected.items():
            found = events.take(topic, row.order_id)
            assert len(found) == wanted_events, f"{wanted} is {row.status}, and {topic} has {found}"
            if topic == "order-events" and found:
                kind = "CONFIRMED" if row.status == "COMPLETED" else row.status
                assert (found[0]["kind"], found[0]["status"]) == (f"ORDER_{kind}", row.status), wanted
        for product in wanted.lines:
            taken = reserved or wanted.saga == "pay_first" and row.status == "COMPLETED"
            back = {"EXPIRED": "EXPIRE"}.get(row.status, "RELEASE") if reserved and failed else None
            causes = sorted(e["cause"] for e in events.take("inventory-updated", (row.order_id, product)))
            assert causes == sorted(filter(None, ["RESERVE" if taken else None, back])), f"{wanted} is {row.status}: {causes}"

    def _check_stock(self, shop, sold, events):
        shop.reconciled()
        for row in shop.query("SELECT * FROM holdfast.stock ORDER BY product_id"):
            assert (row.on_hand, row.reserved) == (self.on_hand[row.product_id], sold[row.product_id]), \
                f"product {row.product_id}: {row}; {self.on_hand[row.product_id]} came in, {sold[row.product_id]} were sold"
            changes = events.stock[row.product_id]
            versions = sorted(changes)
            assert versions == list(range(versions[0], row.version + 1)), f"product {row.product_id} lacks versions"
            last = changes[row.version]
            assert (last["onHand"], last["reserved"], last["available"]) == (
                row.on_hand, row.reserved, row.on_hand - row.reserved - row.safety_stock), last
            assert all(0 <= e["reserved"] <= e["onHand"] for e in changes.values()), f"product {row.product_id} was oversold"

    def _check_letters(self, shop):
        letters = shop.query("SELECT event_id, sqlstate, message FROM holdfast.dead_letter")
        assert {r.event_id for r in letters} == self.poison, f"dead letters are the poison that was sent: {letters}"
        assert shop.query("SELECT * FROM holdfast.stuck_sagas") == []


class _Events:
    """The shop's own events of Kafka, each once, however often it is there."""

    def __init__(self, shop, records):
        own = {r.id for r in shop.query("SELECT id::text FROM holdfast.outbox")}
        self._found = defaultdict(list)
        self.stock = defaultdict(dict)
        seen, payment_states = set(), Counter()
        for record in records:
            if record.id not in own or record.id in seen:
                continue
            seen.add(record.id)
            topic, event = record.topic.removeprefix(shop.prefix), json.loads(record.value)
            if topic == "payment-event":
                payment_states[event["paymentId"], event["status"]] += 1
            elif topic == "inventory-updated":
                assert event["version"] not in self.stock[event["productId"]], f"two changes made one version: {event}"
                self.stock[event["productId"]][event["version"]] = event
                if event.get("orderId") is not None:
                    self._found[topic, (event["orderId"], event["productId"])].append(event)
            elif topic == "refund-requested":
                self._found[topic, event["paymentId"]].append(event)
            elif topic in ("order-created", "inventory-reserved", "inventory-released", "order-events", "order-failed"):
                self._found[topic, event["orderId"]].append(event)
        assert max(payment_states.values(), default=1) == 1, f"told twice: {payment_states.most_common(3)}"

    def take(self, topic, key):
        return self._found.pop((topic, key), [])

    def check_nothing_left(self):
        left = {where: found for where, found in self._found.items() if where[0] != "inventory-reserved"}
        assert not left, f"events of nothing that happened: {left}"


def _by_order(shop, table):
    found = defaultdict(list)
    for row in shop.query(f"SELECT * FROM holdfast.{table}"):
        found[row.order_id].append(row)
    return found

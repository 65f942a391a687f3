"""The five scenes of the main job.  Each shows something and claims something; show.claim() checks it."""

import json
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import audit
from harness.shop import PRODUCTS, place
from harness.waiting import Deadline, wait_until
from show import claim, heading, say, sql, table
from stage import PAYMENT_MS


def order(shop, user_id, product_id, quantity, key, options=None):
    """CALL place_order as a reader would type it; (order id, status, detail, milliseconds)."""
    lines = json.dumps([{"productId": product_id, "quantity": quantity}])
    more = f", '{json.dumps(options)}'" if options else ""
    call = f"CALL holdfast.place_order({user_id}, '{lines}', '{key}'{more})"
    sql(call)
    began = time.monotonic()
    row = shop.query(call, user="shop_app")[0]
    milliseconds = (time.monotonic() - began) * 1000
    detail = {name: row.detail[name] for name in ("finalTotalAmount", "currency", "reason", "lines", "durability")
              if name in row.detail}
    table(("order_id", "status", "detail", "answered in"),
          [(row.order_id, row.status, json.dumps(detail), f"{milliseconds:.1f} ms")])
    return row.order_id, row.status, row.detail, milliseconds


def stock(shop, *product_ids):
    call = f"SELECT * FROM holdfast.availability(ARRAY{list(product_ids)})"
    sql(call)
    rows = shop.query(call, user="shop_app")
    table(("product_id", "name", "on_hand", "reserved", "available"),
          [(r.product_id, r.name, r.on_hand, r.reserved, r.available) for r in rows])
    return {r.product_id: r.available for r in rows}


def locks_on_stock(shop):
    """Transactions of others that have changed a stock row and are still open."""
    return shop.value("SELECT count(*) FROM pg_locks WHERE relation = 'holdfast.stock'::regclass"
                      " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()")


def trace(shop, order_id):
    """The timeline, once Kafka's offsets are known; its rows."""
    def told():
        rows = shop.query("SELECT * FROM holdfast.trace(%s)", order_id, user="shop_app")
        return all(r.kafka_offset is not None for r in rows if r.topic) and rows
    try:
        rows = wait_until(told, "all offsets are known", 10)
    except Deadline:
        rows = shop.query("SELECT * FROM holdfast.trace(%s)", order_id, user="shop_app")
    sql(f"SELECT * FROM holdfast.trace({order_id})")
    start = rows[0].at
    table(("after", "source", "what", "where in Kafka"),
          [(f"{(r.at - start).total_seconds() * 1000:.1f} ms", r.source, r.what,
            f"{r.topic}[{r.partition}] offset {r.kafka_offset}" if r.topic else "") for r in rows])
    return rows


def paid(stage):
    shop = stage.shop
    heading("1. An order is placed, paid and completed")
    for product_id, name, price, units in PRODUCTS:
        sql(f"CALL holdfast.set_product({product_id}, '{name}', {price}, on_hand => {units})")
    shop.seed()
    say("\n  Order, lines, reservation and events are one transaction; the payment service hears of it through Kafka.\n")
    order_id, status, detail, answered_ms = order(shop, 7, 1, 3, "cart-1")
    claim("3 x 10,000 = 30,000, and the order is PENDING until it is paid",
          (status, detail["finalTotalAmount"]) == ("PENDING", 30_000))
    began = time.monotonic()
    held = locks_on_stock(shop)
    still = shop.status(order_id)
    if time.monotonic() - began < PAYMENT_MS / 2000:  # else the machine was too slow to look in time
        claim(f"while the payment takes its {PAYMENT_MS} ms, no transaction holds the stock row", (held, still) == (0, "PENDING"),
              f"{held} do; the order is {still}")
    shop.wait_status(order_id, "COMPLETED")
    claim("paid: the order is COMPLETED", True)
    say()
    left = stock(shop, 1)
    claim("stock of product 1 is 97", left[1] == 97)
    say()
    rows = trace(shop, order_id)
    claim("the timeline has order, outbox, Kafka offsets and inbox",
          {"order-created", "inventory-reserved", "payment-completed", "order-events"} <= {r.topic for r in rows}
          and all(r.kafka_offset is not None for r in rows if r.topic), {r.topic: r.kafka_offset for r in rows if r.topic})
    found = {(r.topic, r.partition, r.offset): r for r in shop.records("order-created", "inventory-reserved", "order-events")}
    wrong = [r for r in rows if r.topic in ("order-created", "inventory-reserved", "order-events")
             and getattr(found.get((r.topic, r.partition, r.kafka_offset)), "key", None) != str(order_id)]
    claim("at these offsets Kafka has these events", not wrong, wrong)


def declined(stage):
    shop = stage.shop
    heading("2. The payment is declined: the compensation gives the stock back, once")
    order_id, status, detail, _ = order(shop, 8, 2, 2, "cart-2")
    claim("2 x 25,000 = 50,000, which the payment service declines", (status, detail["finalTotalAmount"]) == ("PENDING", 50_000))
    shop.wait_status(order_id, "FAILED")
    reason = shop.value("SELECT failure_reason FROM holdfast.orders WHERE order_id = %s", order_id)
    claim(f"payment-failed came back: the order is FAILED ({reason})", True)
    say()
    left = stock(shop, 2)
    claim("stock of product 2 is 50 again", left[2] == 50)
    say()
    trace(shop, order_id)


def out_of_stock(stage):
    shop = stage.shop
    heading("3. Out of stock: refused at once, and nothing is given back that was never taken")
    order_id, status, detail, _ = order(shop, 9, 2, 51, "cart-3")
    claim("51 of 50: FAILED at once, as an answer and not as an error", (status, detail["reason"]) == ("FAILED", "OUT_OF_STOCK"))
    wait_until(lambda: shop.value("SELECT count(*) FROM holdfast.inbox_seen WHERE key = %s AND topic = 'order-failed'", str(order_id)),
               "our own order-failed went through Kafka and came back")
    left = stock(shop, 2)
    claim("its order-failed event went through Kafka and came back to the inbox: stock of product 2 is still 50", left[2] == 50)


def flash_sale(stage):
    shop = stage.shop
    units = {11: ("lamp", 150), 12: ("vase", 150), 13: ("clock", 200)}
    buyers, connections = 1_000, 100
    heading(f"4. Flash sale: 500 units of three products, {buyers:,} buyers on {connections} connections")
    for product_id, (name, on_hand) in units.items():
        shop.product(product_id, 1_000, on_hand, name)
    wanted = [list(units)[i % len(units)] for i in range(buyers)]
    random.Random(500).shuffle(wanted)
    open_for_business = threading.Barrier(connections + 1)

    def customer(number):
        with shop.connect() as connection:
            place_what = [(user, wanted[user]) for user in range(number, buyers, connections)]
            open_for_business.wait(30)
            answers = []
            for user, product_id in place_what:
                began = time.monotonic()
                _, status, _ = place(connection, 1_000 + user, product_id, 1)
                answers.append((product_id, status, (time.monotonic() - began) * 1000))
            return answers

    with ThreadPoolExecutor(connections) as pool:
        sale = [pool.submit(customer, n) for n in range(connections)]
        open_for_business.wait(30)
        began = time.monotonic()
        answers = [a for future in sale for a in future.result()]
        seconds = time.monotonic() - began
    held = locks_on_stock(shop)
    unpaid = shop.value("SELECT count(*) FROM holdfast.orders WHERE status = 'PENDING'")
    accepted = [a for a in answers if a[1] == "PENDING"]
    refused = [a for a in answers if a[1] == "FAILED"]
    left = {r.product_id: r.available for r in shop.query("SELECT * FROM holdfast.availability(%s)", list(units))}
    table(("product", "units", "wanted", "accepted", "refused", "left"),
          [(f"{product_id} {name}", on_hand, wanted.count(product_id), sum(a[0] == product_id for a in accepted),
            sum(a[0] == product_id for a in refused), left[product_id]) for product_id, (name, on_hand) in units.items()])
    latency = sorted(a[2] for a in answers)
    say(f"  {buyers:,} answers in {seconds:.2f} s; half of the buyers waited less than {statistics.median(latency):.1f} ms, "
        f"99 % less than {latency[int(len(latency) * 0.99)]:.0f} ms\n")
    claim(f"exactly 500 accepted and 500 refused (seen: {len(accepted)} and {len(refused)})", (len(accepted), len(refused)) == (500, 500))
    claim("stock is 0, and was never below", set(left.values()) == {0})
    claim(f"when the last buyer had his answer, {unpaid} payments were still under way and no transaction held a stock row", held == 0)
    shop.wait_settled()
    ended = dict(shop.query("SELECT o.status, count(*) FROM holdfast.orders o WHERE o.user_id >= 1000 GROUP BY 1"))
    claim("all of them ended: 500 COMPLETED, 500 FAILED", ended == {"COMPLETED": 500, "FAILED": 500}, ended)


class Crowd:
    """Buyers who order one unit each, until the end of the block."""

    def __init__(self, shop, product_id, connections):
        self.placed = 0
        self._shop, self._product_id = shop, product_id
        self._end = threading.Event()
        self._pool = ThreadPoolExecutor(connections)
        self._work = [self._pool.submit(self._buy, n) for n in range(connections)]

    def _buy(self, number):
        with self._shop.connect() as connection:
            while not self._end.is_set():
                place(connection, 10_000 + number, self._product_id, 1)
                self.placed += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.set()
        self._pool.shutdown()
        for work in self._work:
            work.result()


def kill(stage):
    shop, relay = stage.shop, stage.relay
    heading("5. The relay is killed with -9 in the middle of a stream, and started again")
    shop.product(21, 1_000, 1_000_000, "ticket")
    before = shop.kafka.count("order-created")
    with Crowd(shop, 21, 4) as crowd:
        # The worst moment: Kafka has records that PostgreSQL has not been told of.
        mark = {"lsn": None, "count": 0}

        def worst_moment():
            lsn, count = shop.cluster.slot(shop.slot).confirmed_flush_lsn, shop.kafka.count("order-created")
            if lsn != mark["lsn"]:
                mark.update(lsn=lsn, count=count)
            return count > before + 200 and count > mark["count"] + 100
        try:
            wait_until(worst_moment, "", 6)
        except Deadline:
            pass  # it confirms too often for that; any moment will do
        relay.kill()
        at_kill = shop.kafka.count("order-created") - before
        committed = crowd.placed
        say(f"  kill -9 {relay.pid}: {committed:,} orders were committed so far, {at_kill:,} of them were in Kafka")
        wait_until(lambda: crowd.placed > committed + 200, "orders go on without a relay")
        say(f"  {crowd.placed - committed:,} more orders were placed without a relay; now it is started again")
        relay.start().wait_ready()
        wait_until(lambda: shop.kafka.count("order-created") - before > committed, "the stream goes on")
    delivery = audit.wait_delivered(shop)  # fails when an event is missing, foreign, altered or out of order
    shop.wait_settled(90)
    delivery = audit.wait_delivered(shop)
    committed_by_topic = audit.outbox(shop)
    rows = []
    for topic in sorted(committed_by_topic):
        ids = [r.id for r in shop.records(topic) if r.id in committed_by_topic[topic]]
        rows.append((topic, len(committed_by_topic[topic]), len(set(ids)), len(ids), len(ids) - len(set(ids))))
    say()
    table(("topic", "events committed", "of these in Kafka", "records", "duplicates"), rows)
    claim("every committed event is in Kafka, none that was not committed, each key in order",
          all(committed == distinct for _, committed, distinct, _, _ in rows))
    claim(f"{delivery.duplicates:,} duplicates, all of them contiguous replays with the same id and bytes", True)
    answers = [r.id for r in shop.records("payment-completed", "payment-failed")]
    applied = shop.value("SELECT count(*) FROM holdfast.inbox_seen WHERE topic LIKE 'payment-%%' AND outcome = 'APPLIED'")
    twice = shop.value("SELECT count(*) FROM (SELECT FROM holdfast.payment GROUP BY order_id HAVING count(*) > 1) AS t")
    claim(f"{len(answers):,} payment answers came back, {len(answers) - len(set(answers)):,} of them duplicates: "
          f"{applied:,} applied, each once", (applied, twice) == (len(set(answers)), 0), (applied, len(set(answers)), twice))
    sold = shop.value("SELECT count(*) FROM holdfast.orders WHERE user_id >= 10000 AND status = 'COMPLETED'")
    left = shop.available(21)
    claim(f"{sold:,} orders COMPLETED, {1_000_000 - left:,} units gone", sold == 1_000_000 - left == crowd.placed)
    wrong = shop.query("SELECT * FROM holdfast.reconcile() WHERE expected IS DISTINCT FROM actual")
    claim("reconcile(): stock, reservations and ledger agree", wrong == [], wrong)


SCENES = (paid, declined, out_of_stock, flash_sale, kill)

"""Around the order: more scenes, of the same kind as those of scenes.py."""

import json
import textwrap
import time
from pathlib import Path

import psycopg
from harness.waiting import wait_until
from scenes import order, stock
from show import WIDTH, claim, heading, say, sql, table

ROOT = Path(__file__).resolve().parents[1]
VISITS = {1: (120, 12, 9), 2: (80, 4, 12), 3: (40, 8, 2)}  # product: views, likes, purchases


def submit(shop, user_id, product_id, quantity):
    """submit_order as a reader would type it; the trace id."""
    lines = json.dumps([{"productId": product_id, "quantity": quantity}])
    call = f"SELECT holdfast.submit_order({user_id}, '{lines}')"
    sql(call)
    began = time.monotonic()
    trace_id = shop.value(call, user="shop_app")
    table(("trace id", "answered in"), [(trace_id, f"{(time.monotonic() - began) * 1000:.1f} ms")])
    return trace_id


def poll(shop, trace_id, user_id):
    """Ask for the status until there is an answer; each status that was seen."""
    call = f"SELECT holdfast.order_status('{trace_id}'::uuid, {user_id})"
    began, seen = time.monotonic(), []

    def answered():
        answer = shop.value(call, user="shop_app")
        if not seen or seen[-1][1]["status"] != answer["status"]:
            seen.append((time.monotonic() - began, answer))
        return answer["status"] != "PROCESSING"
    sql(call)
    wait_until(answered, lambda: f"the request is answered; {seen}")
    table(("after", "status", "orderId", "reason"), [(f"{after * 1000:.0f} ms", answer["status"], answer.get("orderId"), answer.get("reason", ""))
                                                     for after, answer in seen])
    return [answer for _, answer in seen]


def asynchronous(stage):
    shop = stage.shop
    heading("6. Ordered now, placed later: submit_order answers with a trace id, and Kafka holds the queue")
    trace_id = submit(shop, 41, 3, 2)
    written = shop.value("SELECT count(*) FROM holdfast.outbox WHERE aggregatetype = 'order-request' AND aggregateid = %s", str(trace_id))
    claim("the request and its event order-request were written as one", written == 1, written)
    answers = poll(shop, trace_id, 41)
    order_id = answers[-1].get("orderId")
    claim(" and then ".join(a["status"] for a in answers) + f": the relay has placed it as order {order_id}", answers[-1]["status"] == "COMPLETED")
    shop.wait_status(order_id, "COMPLETED")
    claim("from there it is an order like any other: paid, and COMPLETED", True)
    try:
        shop.value("SELECT holdfast.order_status(%s::uuid, 42)", trace_id, user="shop_app")
        error = None
    except psycopg.Error as e:
        error = e.sqlstate
    claim("another user who asks for it is told that there is no such request (HF007)", error == "HF007", error)
    say()
    trace_id = submit(shop, 42, 2, 51)
    refused = poll(shop, trace_id, 42)[-1]
    claim("51 of 50: FAILED, out of stock", (refused["status"], refused.get("reason")) == ("FAILED", "OUT_OF_STOCK"), refused)


def consumed(shop, topic, messages):
    """Wait until the inbox has dealt with so many messages of a topic."""
    position = "SELECT coalesce(sum(next_offset), 0)::int FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(position, topic) >= messages, lambda: f"{messages} of {topic} are consumed; {shop.value(position, topic)} are")


def metrics(stage):
    shop = stage.shop
    heading("7. Metrics: likes, views and purchases are events too, and each counts once")
    sql("""SELECT holdfast.emit('catalog-events', '1', 'ProductViewed', '{"productId": 1, "kind": "VIEWED"}')""")
    for product_id, counts in VISITS.items():
        for count, kind, event_type in zip(counts, ("VIEWED", "LIKED", "PURCHASED"), ("ProductViewed", "LikeChanged", "ProductPurchased"),
                                           strict=True):
            shop.query("SELECT holdfast.emit('catalog-events', %s, %s, jsonb_build_object('productId', %s::bigint, 'kind', %s::text))"
                       " FROM generate_series(1, %s)", str(product_id), event_type, product_id, kind, count, user="shop_app")
    events = sum(map(sum, VISITS.values()))
    say(f"  ... {events} of them, for three products; the relay folds them into the table product_metric\n")
    consumed(shop, "catalog-events", events)

    def back_office():
        return shop.query((ROOT / "examples/back_office.sql").read_text())
    sql("\\i examples/back_office.sql")
    rows = back_office()
    table(rows[0]._fields, [tuple(int(v) if name in ("views", "likes", "purchases") else v for name, v in r._asdict().items()) for r in rows])
    claim("it counts what was told", {r.product_id: (r.views, r.likes, r.purchases) for r in rows} == VISITS)
    call = "SELECT count(*) FROM holdfast.replay('catalog-events')"
    sql(call)
    table(("count",), [(shop.value(call, user="shop_admin"),)])
    consumed(shop, "catalog-events", 2 * events)
    claim(f"all {events} went through Kafka once more, under the ids that they had: the same numbers", back_office() == rows)


def notification(stage):
    shop, relay, endpoint = stage.shop, stage.relay, stage.endpoint
    heading("8. A notification: what becomes of a payment is posted to an HTTP endpoint")
    say(f"""  Three more lines in the relay's configuration:

    [[notify]]
    topic = "payment-event"
    url   = "{endpoint.url}"
""")
    relay.terminate()
    # Not of the thousands of payments before.
    relay.write_config(notify=[{"topic": "payment-event", "group": "chat", "url": endpoint.url, "start": "latest"}])
    relay.start().wait_ready()
    claimed = "SELECT count(*) FROM holdfast.inbox_offset WHERE consumer = 'chat'"
    wait_until(lambda: shop.value(claimed) == shop.partitions, "the relay knows where to begin")
    order_id, _, _, _ = order(shop, 43, 3, 1, "cart-8")
    wait_until(lambda: endpoint.requests, "the endpoint is told")
    request = endpoint.requests[0]
    body = json.loads(request["body"])
    say(f"  POST {request['path']}")
    for name in ("Content-Type", "Holdfast-Topic", "Holdfast-Event-Type", "Holdfast-Event-Id"):
        say(f"  {name}: {request['headers'][name]}")
    say("\n" + textwrap.fill(json.dumps(body), WIDTH, initial_indent="  ", subsequent_indent="   ", break_long_words=False) + "\n")
    claim(f"the endpoint was told that the payment of order {order_id} is COMPLETED", (body["orderId"], body["status"]) == (order_id, "COMPLETED"))
    published = {r.id: r.value for r in shop.records("payment-event")}
    event_id = request["headers"]["Holdfast-Event-Id"]
    claim("byte for byte what Kafka has under that id", published.get(event_id) == request["body"])
    answered = "SELECT event_id FROM holdfast.inbox_seen WHERE consumer = 'chat' AND outcome = 'APPLIED'"
    wait_until(lambda: shop.query(answered), "the answer is recorded")
    claim("the answer is in the inbox, so that it is never sent again", [r.event_id for r in shop.query(answered)] == [event_id]
          and len(endpoint.requests) == 1, endpoint.ids())


def pay(shop, order_id, transaction_key):
    """The application pays an order itself; the payment's id."""
    call = f"CALL holdfast.begin_payment({order_id})"
    sql(call)
    payment_id = shop.query(call, user="shop_app")[0].payment_id
    call = f"CALL holdfast.complete_payment('{payment_id}', '{transaction_key}')"
    sql(call)
    shop.query(call, user="shop_app")
    return payment_id


def pay_first(stage):
    shop = stage.shop
    heading("9. Pay first: stock is taken when the money is there, and who paid for what is gone gets it back")
    shop.product(31, 20_000, 1, "poster")
    buyers = {}
    for user_id in (51, 52):
        order_id, status, _, _ = order(shop, user_id, 31, 1, f"poster-{user_id}", {"saga": "pay_first"})
        buyers[order_id] = status
    first, second = buyers
    left = stock(shop, 31)
    claim("two orders for the last one: both PENDING, and none of them holds it", (set(buyers.values()), left[31]) == ({"PENDING"}, 1), left)
    say()
    pay(shop, first, "TX-51")
    late = pay(shop, second, "TX-52")
    shop.wait_status(first, "COMPLETED")
    shop.wait_status(second, "FAILED")
    say()
    show_both = f"""SELECT o.order_id, o.status, o.failure_step, o.failure_reason, p.status AS payment
         FROM holdfast.orders o JOIN holdfast.payment p USING (order_id) WHERE o.order_id IN ({first}, {second}) ORDER BY 1"""
    sql(show_both)
    rows = shop.query(show_both)
    table(rows[0]._fields, rows)
    claim("who paid first has it", (rows[0].status, rows[0].payment) == ("COMPLETED", "COMPLETED"))
    claim("who paid second does not: FAILED at RESERVE, and the payment goes back",
          (rows[1].status, rows[1].failure_step, rows[1].payment) == ("FAILED", "RESERVE", "REFUND_PENDING"))

    def asked_back():
        return [r for r in map(lambda r: json.loads(r.value), shop.records("refund-requested")) if r["orderId"] == second]
    refund = wait_until(asked_back, "the refund is asked for")
    claim(f"Kafka has one refund-requested of {refund[0]['amount']:,}, under the payment's id",
          (len(refund), refund[0]["paymentId"], refund[0]["amount"]) == (1, late, 20_000), refund)
    told = wait_until(lambda: [r for r in shop.records("order-failed") if r.key == str(second)], "order-failed is published")
    claim("and order-failed", json.loads(told[0].value)["failedStep"] == "RESERVE")
    say()
    call = f"CALL holdfast.refund_payment('{late}', refunded => true)"
    sql(call)
    shop.query(call, user="shop_app")
    after = shop.value("SELECT status FROM holdfast.payment WHERE payment_id = %s", late)
    claim("the payment service has sent it back: REFUNDED", after == "REFUNDED", after)
    claim("the poster was sold once: stock is 0", shop.available(31) == 0)


SCENES = (asynchronous, metrics, notification, pay_first)

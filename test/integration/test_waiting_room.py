"""Waiting rooms and limits under real time and real concurrency."""

import threading
import time

import psycopg
from harness.shop import place
from harness.waiting import wait_until

RATE = 40
CUSTOMERS = 200


def in_parallel(shop, count, work):
    """work(connection, n) in `count` threads, each with a connection of its own; what it raises is raised here."""
    errors = []

    def run(n):
        try:
            with shop.connect() as connection:
                work(connection, n)
        except Exception as e:  # noqa: BLE001  looked at below
            errors.append(e)
    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def room(shop, name="door", per_second=RATE, **more):
    arguments = "".join(f", {key} => '{value}'" for key, value in more.items())
    shop.query(f"CALL holdfast.set_waiting_room(%s, %s{arguments})", name, per_second, user="shop_admin")
    shop.query("CALL holdfast.set_product_room(1, %s)", name, user="shop_admin")


def join(connection, user, name="door"):
    return connection.execute("SELECT holdfast.waiting_join(%s, %s)", (name, user)).fetchone()[0]


def position(connection, ticket, user):
    return connection.execute("SELECT holdfast.waiting_position(%s, %s)", (ticket, user)).fetchone()[0]


def test_a_rush_is_let_in_at_the_rate_and_each_token_buys_once(shop):
    shop.seed().product(1, 1_000, CUSTOMERS)
    room(shop)
    # A quiet while, of which no more than two seconds may be saved up.
    shop.query("UPDATE holdfast.waiting_rate SET since = since - interval '1 hour'")
    began = time.monotonic()
    tickets, bought, admitted, lock = {}, [], [], threading.Lock()

    def customers(connection, part):
        mine = list(range(part, CUSTOMERS, 8))
        for user in mine:
            ticket = join(connection, user)
            assert join(connection, user) == ticket
            tickets[user] = ticket

        def all_are_in():
            for user in list(mine):
                answer = position(connection, tickets[user], user)
                if answer["admitted"]:
                    with lock:
                        admitted.append(time.monotonic() - began)
                    mine.remove(user)
                    bought.append((user, answer["token"]))
            return not mine
        wait_until(all_are_in, lambda: f"{mine} are let in", 60)
    in_parallel(shop, 8, customers)

    for count, elapsed in enumerate(sorted(admitted), 1):
        assert count <= RATE * (2 + elapsed) + 1, f"{count} were let in within {elapsed:.2f} s"
    assert max(admitted) >= (CUSTOMERS / RATE) - 2.1
    # First come, first served: a number is let in when those before it are.
    assert shop.value("SELECT max(number) - min(number) + 1 FROM holdfast.waiting_ticket") == CUSTOMERS

    orders, refused = [], []

    def buy(connection, part):
        for user, token in bought[:40]:
            try:
                orders.append(place(connection, user, 1, 1, options={"admissionToken": token})[0])
            except psycopg.Error as e:
                refused.append(e.sqlstate)
    in_parallel(shop, 4, buy)
    assert (len(orders), set(refused), len(refused)) == (40, {"HF030"}, 120)
    assert shop.value("SELECT count(DISTINCT user_id) FROM holdfast.orders") == 40
    shop.reconciled()


def test_a_submitted_order_is_placed_though_its_token_has_expired_meanwhile(shop):
    shop.seed()
    shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"), partitions=1)
    relay = shop.run_relay(inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    relay.kill()
    room(shop, valid_for="1 s")
    with shop.connect() as connection:
        ticket = join(connection, 7)
        token = wait_until(lambda: position(connection, ticket, 7).get("token"), "user 7 is let in")
        trace = shop.submit(7, 1, 1, connection, options={"admissionToken": token})
        assert position(connection, ticket, 7)["status"] == "USED"
    wait_until(lambda: shop.value("SELECT expires_at < clock_timestamp() FROM holdfast.waiting_ticket"), "the token has expired")
    relay.start()
    wait_until(lambda: shop.value("SELECT holdfast.order_status(%s::uuid)->>'status'", trace) == "COMPLETED",
               "the order is placed")
    assert shop.available(1) == 99


def test_orders_of_one_customer_at_once_stay_within_his_limit(shop):
    shop.seed()
    shop.query("CALL holdfast.set_product_limits(1, max_per_user => 5)", user="shop_admin")
    shop.query("CALL holdfast.set_product_limits(2, max_per_user => 3)", user="shop_admin")
    taken = "SELECT coalesce(sum(quantity), 0)::int FROM holdfast.reservation WHERE product_id = %s AND state = 'HELD'"
    over = []

    def shopper(connection, part):
        for n in range(15):
            lines = [{"productId": 1 + part % 2, "quantity": 1}, {"productId": 2 - part % 2, "quantity": 1}]
            order, status, detail = connection.execute(
                "CALL holdfast.place_order(7, %s::jsonb)", (psycopg.types.json.Jsonb(lines),)).fetchone()
            if status == "PENDING" and n % 2:
                connection.execute("CALL holdfast.cancel_order(%s)", (order,))
            elif status == "FAILED":
                assert detail["reason"] == "LIMIT_EXCEEDED"
            if shop_taken(connection, 1) > 5 or shop_taken(connection, 2) > 3:
                over.append(order)

    def shop_taken(connection, product):
        return connection.execute(taken, (product,)).fetchone()[0]
    in_parallel(shop, 6, shopper)
    assert over == []
    assert shop.value(taken, 2) == 3, "what was cancelled was taken by somebody else"
    assert shop.value("SELECT sum(quantity)::int FROM holdfast.customer_take WHERE product_id = 2") == 3
    shop.reconciled()

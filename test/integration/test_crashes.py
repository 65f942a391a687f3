"""Kill, restart, cut: nothing is lost, a key stays in order, effects happen once."""

import random
import threading

import psycopg
import pytest
from harness import audit
from harness.shop import place
from harness.waiting import Deadline, holds_for, wait_until


def effects_once(shop, sold):
    """The stock adds up, every answer is applied once, every order ends once."""
    shop.reconciled()
    on_hand, reserved = shop.query("SELECT on_hand, reserved FROM holdfast.stock WHERE product_id = 3")[0]
    completed = shop.value("SELECT coalesce(sum(l.quantity), 0)::bigint FROM holdfast.order_line l JOIN holdfast.orders o"
                           " USING (order_id) WHERE o.status = 'COMPLETED' AND l.product_id = 3")
    assert reserved == completed == sold, (on_hand, reserved, completed, sold)
    assert shop.query("SELECT event_id, count(*) FROM holdfast.inbox_seen GROUP BY 1 HAVING count(*) > 1") == []
    assert shop.query("SELECT order_id, count(*) FROM holdfast.payment GROUP BY 1 HAVING count(*) > 1") == []
    ended = shop.query("SELECT aggregateid, count(*) FROM holdfast.outbox WHERE aggregatetype = 'order-events'"
                       " GROUP BY 1 HAVING count(*) > 1")
    assert ended == []
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []


class Buyers:
    """Clients that order all the time, through every failure of the server; each fifth order is too
    expensive to be paid.  `acknowledged` are the order ids that the server has answered for."""

    def __init__(self, shop, clients=3):
        self.shop = shop
        self.acknowledged = {}
        self.errors = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]

    def _run(self, client):
        try:
            while not self._end.is_set():
                try:
                    with self.shop.connect() as connection:
                        n = 0
                        while not self._end.is_set():
                            n += 1
                            order_id, status, _ = place(connection, client, 3, 20 if n % 5 == 0 else 1)
                            self.acknowledged[order_id] = status
                except psycopg.OperationalError:
                    self._end.wait(0.02)  # the server is away
        except Exception as e:  # noqa: BLE001  reported by __exit__
            self.errors.append(e)

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for t in self._threads:
            t.join()
        assert not self.errors, self.errors

    def wait_more(self, count):
        want = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= want, lambda: f"{want} orders; {len(self.acknowledged)}, {self.errors}")


@pytest.fixture
def busy_shop(make_shop):
    shop = make_shop()
    shop.product(3, 5_000, 10_000_000)
    return shop


def units_sold(shop):
    return shop.value("SELECT coalesce(sum(quantity), 0)::bigint FROM holdfast.reservation WHERE state = 'SOLD'")


def finish(shop, buyers, producers=1):
    """Let everything settle, then check all claims; the audited delivery."""
    audit.wait_delivered(shop, producers=producers)
    shop.wait_settled()
    delivery = audit.wait_delivered(shop, producers=producers)
    known = {r.order_id for r in shop.query("SELECT order_id FROM holdfast.orders")}
    lost = set(buyers.acknowledged) - known
    assert not lost, f"{len(lost)} orders were acknowledged and are gone"
    effects_once(shop, units_sold(shop))
    return delivery


def test_relay_killed_20_times_under_load(busy_shop):
    shop = busy_shop
    relay = shop.run_relay()
    shop.payment_service()
    choice = random.Random(20)
    kills = 20
    with Buyers(shop) as buyers:
        for _ in range(kills):
            before = shop.kafka.count(shop.topic("order-created"))
            more = choice.randrange(1, 60)
            wait_until(lambda before=before, more=more: shop.kafka.count(shop.topic("order-created")) >= before + more,
                       lambda: f"the relay delivers\n{relay.log_text()[-1500:]}")
            relay.kill()
            relay.start()
    delivery = finish(shop, buyers)
    partitions = sum(shop.kafka.partitions(t) for t in audit.outbox(shop))
    print(f"{len(buyers.acknowledged)} orders, {delivery.events} events, {delivery.duplicates} duplicates, "
          f"{delivery.replays} replays over {kills} kills")
    assert delivery.replays <= kills * partitions


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_restarts_under_load(busy_shop, mode):
    """An immediate stop is a crash: every order that was answered must be there after recovery,
    although its commit released the lock before the flush."""
    shop = busy_shop
    relay = shop.run_relay()
    shop.payment_service()
    with Buyers(shop) as buyers:
        for _ in range(3):
            buyers.wait_more(100)
            shop.cluster.restart(mode)
    finish(shop, buyers)
    assert relay.running()
    relay.wait_ready()


def test_terminated_walsender_is_replaced(busy_shop):
    shop = busy_shop
    relay = shop.run_relay()
    with Buyers(shop, clients=1) as buyers:
        for _ in range(5):
            buyers.wait_more(20)
            pid = wait_until(lambda: shop.cluster.slot(shop.slot).active_pid, "the slot is in use")
            shop.cluster.admin("SELECT pg_terminate_backend(%s)", pid)
            wait_until(lambda pid=pid: shop.cluster.slot(shop.slot).active_pid not in (None, pid), "a new walsender")
    audit.wait_delivered(shop)
    relay.wait_ready()


def test_terminated_inbox_connection_is_replaced(busy_shop):
    shop = busy_shop
    shop.run_relay()
    shop.payment_service()
    with Buyers(shop, clients=1) as buyers:
        for _ in range(5):
            buyers.wait_more(20)
            shop.cluster.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop_relay'"
                               " AND datname = %s AND backend_type = 'client backend'", shop.name)
    finish(shop, buyers)


def test_second_relay_waits_and_takes_over(busy_shop):
    shop = busy_shop
    shop.payment_service()
    first = shop.run_relay("first")
    second = shop.relay("second").start()
    wait_until(second.live, "the second answers")
    with Buyers(shop, clients=1) as buyers:
        buyers.wait_more(20)
        holds_for(lambda: second.running() and not second.ready(), 1, "the second runs, and is not ready")
        first.kill()
        second.wait_ready()
        buyers.wait_more(20)
        first.start()  # comes back as the one that waits
        buyers.wait_more(20)
        wait_until(first.live, "the first answers")
        assert second.ready() and not first.ready()
        assert second.terminate()[0] == 0
        first.wait_ready()
        buyers.wait_more(20)
    finish(shop, buyers)


def test_two_relays_share_the_inbox(busy_shop):
    """Same group: Kafka spreads the partitions; taking over a partition loses and repeats nothing."""
    shop = busy_shop
    shop.payment_service()
    first = shop.run_relay("first")
    second = shop.relay("second")
    with Buyers(shop, clients=1) as buyers:
        buyers.wait_more(30)
        second.start()

        def shared():
            owners = shop.query("SELECT DISTINCT owner FROM holdfast.inbox_offset WHERE owner IS NOT NULL")
            return len(owners) == 2
        try:
            wait_until(shared, "both own partitions", 20)
        except Deadline:
            raise AssertionError(shop.query("SELECT * FROM holdfast.inbox_offset")) from None
        second.kill()
        buyers.wait_more(30)
    finish(shop, buyers)
    assert first.running()


def test_frozen_relay_that_wakes_up_does_no_harm(busy_shop):
    """While it was stopped another owner took its partitions: its batch is refused, not applied twice."""
    shop = busy_shop
    shop.cluster.admin("ALTER ROLE shop_relay SET wal_sender_timeout = '2s'")
    try:
        fast = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
        first = shop.run_relay("first", kafka=fast)
        shop.payment_service()
        with Buyers(shop, clients=1) as buyers:
            buyers.wait_more(20)
            first.pause()
            second = shop.relay("second", kafka=fast).start()
            second.wait_ready(40)
            buyers.wait_more(20)
            first.resume()
            buyers.wait_more(20)
        # What the first had handed to its Kafka client goes out when it wakes.
        finish(shop, buyers, producers=2)
        assert first.running() and second.running()
    finally:
        shop.cluster.admin("ALTER ROLE shop_relay RESET wal_sender_timeout")

"""Sagas as data through a real Kafka: pay first, services that own a database each, a definition of one's own,
and messages that come before what they are about."""

import json

import psycopg
import pytest
from harness import audit
from harness.waiting import wait_until


def saga(shop, order_id):
    return shop.query("SELECT * FROM holdfast.saga WHERE order_id = %s", order_id)[0]


def wait_saga(shop, order_id, state, timeout_s=30):
    return wait_until(lambda: (now := saga(shop, order_id)).state == state and now,
                      lambda: f"the saga of order {order_id} is {state}; it is {saga(shop, order_id)}", timeout_s)


def steps(shop, order_id):
    return [(r.step, r.direction, r.status) for r in shop.query(
        "SELECT * FROM holdfast.saga_step WHERE order_id = %s ORDER BY seq", order_id)]


def values(shop, topic):
    return [json.loads(r.value) for r in shop.records(topic)]


def test_pay_first_takes_the_stock_when_the_money_is_there(shop):
    shop.run_relay()
    shop.payment_service(pay_first=True)
    order_id, status, _ = shop.place(7, 1, 3, options={"saga": "pay_first"})
    assert status == "PENDING"
    shop.wait_status(order_id, "COMPLETED")
    assert shop.available(1) == 97
    assert steps(shop, order_id) == [("payment", "FORWARD", "DONE"), ("reserve", "FORWARD", "DONE")]
    audit.wait_delivered(shop)
    assert shop.records("inventory-reserved") == []  # which would say: charge
    assert [(v["orderId"], v["cause"], v["reserved"]) for v in values(shop, "inventory-updated")][-1] == (order_id, "RESERVE", 3)
    shop.reconciled()


def test_pay_first_gives_the_money_back_when_the_stock_is_gone(shop):
    """Which the published system forgets: there the buyer has paid for nothing."""
    shop.run_relay()
    orders = [shop.place(user, 2, 30, options={"saga": "pay_first"})[0] for user in (7, 8)]  # of 50
    shop.payment_service(pay_first=True, decline_at=10_000_000)
    shop.wait_settled()
    assert sorted(shop.status(o) for o in orders) == ["COMPLETED", "FAILED"]
    lost = next(o for o in orders if shop.status(o) == "FAILED")
    audit.wait_delivered(shop)
    failed, = values(shop, "order-failed")
    assert (failed["orderId"], failed["failedStep"], failed["reason"]) == (lost, "RESERVE", "OUT_OF_STOCK")
    refund, = values(shop, "refund-requested")
    assert (refund["orderId"], refund["amount"]) == (lost, 750_000)
    assert steps(shop, lost) == [("payment", "FORWARD", "DONE"), ("reserve", "FORWARD", "FAILED"), ("payment", "COMPENSATE", "DONE")]
    assert shop.available(2) == 20
    shop.reconciled()


def test_pay_first_declined_has_taken_nothing(shop):
    shop.run_relay()
    shop.payment_service(pay_first=True)
    order_id, _, _ = shop.place(7, 2, 2, options={"saga": "pay_first"})  # 50,000: the limit is declined
    shop.wait_status(order_id, "FAILED")
    assert shop.available(2) == 50
    wait_saga(shop, order_id, "COMPENSATED")
    shop.reconciled()


@pytest.fixture
def services(make_shop):
    """A database that takes orders and one that holds the stock; their relays share topics."""
    orders, inventory = make_shop(partitions=2), make_shop(partitions=2)
    for shop in (orders, inventory):
        shop.seed()
    inventory.prefix = orders.prefix
    bound = {
        orders: {"inventory-reserved": "on_inventory_reserved", "order-failed": "on_order_failed",
                 "payment-completed": "on_payment_completed", "payment-failed": "on_payment_failed"},
        inventory: {"order-created": "on_order_created", "order-failed": "on_order_failed",
                    "payment-completed": "on_payment_completed", "payment-failed": "on_payment_failed"}}
    for shop, handlers in bound.items():
        own = "order" if shop is orders else "inventory"
        shop.run_relay(inbox=[{"topic": shop.topic(t), "group": f"{shop.prefix}{own}-service", "call": f"holdfast.{call}"}
                              for t, call in handlers.items()])
    orders.query("ALTER DATABASE " + orders.name + " SET holdfast.saga = 'reserve_remote'")
    return orders, inventory


def test_order_and_inventory_service_own_a_database_each(services):
    orders, inventory = services
    orders.payment_service()
    app = orders.connect()  # after the setting
    paid, _, _ = orders.place(7, 1, 3, connection=app)
    orders.wait_status(paid, "COMPLETED")
    inventory.wait_status(paid, "COMPLETED")
    assert (inventory.available(1), orders.available(1)) == (97, 100)  # the stock is only there

    # Failure 1: there is not enough.  The order service hears it, and nobody has paid.
    short, status, _ = orders.place(7, 2, 51, connection=app)
    assert status == "PENDING"
    orders.wait_status(short, "FAILED")
    assert saga(orders, short).last_event == "order-failed"
    # Failure 2: the payment is declined.  The inventory service gives the units back.
    declined, _, _ = orders.place(7, 2, 2, connection=app)
    orders.wait_status(declined, "FAILED")
    inventory.wait_status(declined, "FAILED")
    assert inventory.available(2) == 50
    assert len([v for v in values(orders, "inventory-reserved") if v["orderId"] == declined]) == 1
    for shop in services:
        audit.wait_delivered(shop)
        shop.reconciled()
        assert shop.query("SELECT * FROM holdfast.dead_letter WHERE status = 'DEAD'") == []


def test_an_inventory_service_that_does_not_answer_fails_the_order(services):
    orders, inventory = services
    for relay in inventory._relays:
        relay.terminate()
    order_id, _, _ = orders.place(7, 1, 3, connection=orders.connect())
    orders.query("UPDATE holdfast.saga_instance SET deadline = now() WHERE order_id = %s", order_id)
    orders.wait_status(order_id, "EXPIRED")
    # Back again, it finds the order, and that it failed: in whichever order, it holds nothing in the end.
    for relay in inventory._relays:
        relay.start().wait_ready()
    inventory.wait_status(order_id, "FAILED")
    assert inventory.available(1) == 100
    inventory.reconciled()


STEPS = [{"step": "reserve", "kind": "reserve"}, {"step": "payment", "kind": "payment"},
         {"step": "shipping", "command": "shipping-requested", "completesOn": "ShipmentBooked", "failsOn": "ShipmentRefused",
          "compensation": "shipping.cancel", "timeout": "1 hour"}]


@pytest.fixture
def shipper(shop):
    """A shop whose saga has a shipping step."""
    shop.kafka.create(shop.topic("shipping-requested"), shop.topic("shipments"), shop.topic("shipments-dlq"), shop.topic("saga-alerts"))
    shop.query("CREATE SCHEMA shipping")
    shop.query("GRANT USAGE ON SCHEMA shipping TO shop_relay")
    shop.query("CREATE TABLE shipping.cancelled (order_id bigint, who name DEFAULT current_user)")
    shop.query("GRANT INSERT, SELECT ON shipping.cancelled TO shop_relay")
    shop.query("""CREATE FUNCTION shipping.cancel(order_id bigint, context jsonb) RETURNS void LANGUAGE sql
                  BEGIN ATOMIC INSERT INTO shipping.cancelled VALUES (order_id); END""")
    shop.query("REVOKE ALL ON FUNCTION shipping.cancel FROM PUBLIC")
    assert shop.value("SELECT holdfast.register_saga('with_shipping', %s::jsonb)", json.dumps(STEPS), user="shop_admin") == 1
    shop.run_relay(inbox=[shop.binding(t, f"holdfast.on_{t.replace('-', '_')}") for t in ("payment-completed", "payment-failed")]
                   + [shop.binding("shipments", "holdfast.on_saga_event")])
    shop.payment_service()
    return shop


def ship(shop, order_id, kind, **more):
    shop.kafka.send(shop.topic("shipments"), str(order_id), json.dumps({"eventId": f"{kind}-{order_id}", "eventType": kind,
                                                                       "orderId": order_id, **more}).encode())


def wait_command(shop, order_id):
    return wait_until(lambda: [v for v in values(shop, "shipping-requested") if v["orderId"] == order_id],
                      f"shipping of order {order_id} is asked for")[0]


def test_a_saga_of_ones_own_goes_forward_by_events(shipper):
    order_id, _, _ = shipper.place(7, 1, 3, options={"saga": "with_shipping"})
    command = wait_command(shipper, order_id)
    assert (command["step"], command["amount"], command["idempotencyKey"]) == ("shipping", 30_000, f"{order_id}-shipping")
    assert shipper.status(order_id) == "PENDING"
    ship(shipper, order_id, "ShipmentBooked")
    shipper.wait_status(order_id, "COMPLETED")
    assert shipper.available(1) == 97
    shipper.reconciled()


def test_a_saga_of_ones_own_is_undone_in_reverse_with_the_relays_rights(shipper):
    # Its compensation may not be called yet: the saga says so, and goes on when it may.
    order_id, _, _ = shipper.place(7, 1, 3, options={"saga": "with_shipping"})
    wait_command(shipper, order_id)
    assert shipper.query("CALL holdfast.cancel_order(%s)", order_id, user="shop_app")[0].detail["saga"] == "COMPENSATING"
    wait_saga(shipper, order_id, "COMPENSATION_FAILED")
    stuck, = shipper.query("SELECT * FROM holdfast.stuck_sagas", user="shop_admin")
    assert (stuck.order_id, stuck.reason) == (order_id, "COMPENSATION_FAILED") and "permission denied" in stuck.last_error
    alert = wait_until(lambda: values(shipper, "saga-alerts"), "operators are told")[0]
    assert (alert["eventType"], alert["orderId"], alert["step"]) == ("CompensationFailed", order_id, "shipping")

    shipper.query("GRANT EXECUTE ON FUNCTION shipping.cancel TO shop_relay")
    shipper.query("CALL holdfast.saga_resolve(%s, 'retry', 'granted')", order_id, user="shop_admin")
    wait_saga(shipper, order_id, "COMPENSATED")
    assert shipper.status(order_id) == "CANCELLED"
    assert shipper.query("SELECT * FROM shipping.cancelled") == [(order_id, "shop_relay")]
    assert [(s, status) for s, direction, status in steps(shipper, order_id) if direction == "COMPENSATE"] == [
        ("shipping", "DONE"), ("payment", "DONE"), ("reserve", "DONE")]
    audit.wait_delivered(shipper)
    assert [v["orderId"] for v in values(shipper, "refund-requested")] == [order_id]
    assert shipper.available(1) == 100
    shipper.reconciled()


def test_only_an_admin_registers_a_saga(shop):
    for user in ("shop_app", "shop_relay"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.query("SELECT holdfast.register_saga('mine', '[]')", user=user)


def test_an_event_before_its_order_waits_for_it(shop):
    relay = shop.run_relay()
    order_id = shop.value("SELECT holdfast.next_order_id()", user="shop_app")
    shop.kafka.send(shop.topic("payment-completed"), str(order_id), json.dumps(
        {"eventId": "e-1", "eventType": "PaymentCompleted", "paymentId": "p-1", "orderId": order_id, "userId": 7, "amount": 30_000}).encode())
    early = wait_until(lambda: shop.query("SELECT * FROM holdfast.dead_letter"), "the message is kept")[0]
    assert (early.status, early.sqlstate) == ("EARLY", "HF027")
    wait_until(lambda: relay.metrics().get("holdfast_relay_inbox_early_total") == 1, "it is counted")
    placed, _, _ = shop.place(7, 1, 3, options={"orderId": order_id})
    shop.wait_status(placed, "COMPLETED")
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []
    assert shop.records("payment-completed-dlq") == []
    shop.reconciled()


def test_an_event_whose_order_never_comes_is_a_dead_letter_in_the_end(shop):
    shop.query(f"ALTER DATABASE {shop.name} SET holdfast.early_retention = '2 s'")
    shop.run_relay()
    shop.kafka.send(shop.topic("payment-completed"), "999999", json.dumps(
        {"eventId": "e-9", "paymentId": "p-9", "orderId": 999_999, "userId": 7, "amount": 1}).encode())
    wait_until(lambda: [r.status for r in shop.query("SELECT * FROM holdfast.dead_letter")] == ["DEAD"], "it is a dead letter")
    wait_until(lambda: shop.records("payment-completed-dlq"), "and published")

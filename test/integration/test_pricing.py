"""Prices and coupons end to end: what is paid is what the order costs, and uses follow the order's fate."""

import collections
import json
import threading

import pytest
from harness.waiting import wait_until

DECLINED_AT = 15_000


@pytest.fixture
def priced_shop(make_shop):
    """A shop that takes 1,000 off every teapot, and has a coupon for a tenth."""
    shop = make_shop().seed()
    shop.query("CREATE SCHEMA shop")
    shop.query("CREATE TABLE shop.asked (by_role text)")
    shop.query("""CREATE FUNCTION shop.price("order" jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = shop, pg_temp AS $$
        BEGIN
            INSERT INTO asked VALUES (current_user);
            RETURN (SELECT jsonb_build_object('lines', jsonb_agg(jsonb_build_object('productId', l->'productId',
                        'discountAmount', CASE l->>'productId' WHEN '1' THEN 1000 * (l->>'quantity')::bigint ELSE 0 END)))
                    FROM jsonb_array_elements("order"->'lines') l);
        END $$""")
    shop.query("GRANT USAGE ON SCHEMA shop TO shop_app, shop_relay")
    shop.query("GRANT INSERT ON shop.asked TO shop_app, shop_relay")
    shop.query(f"ALTER DATABASE {shop.name} SET holdfast.price_order = 'shop.price'")
    shop.query("CALL holdfast.set_coupon('TENTH', percent => 10, uses_per_user => 1)", user="shop_admin")
    return shop


def uses(shop, code="TENTH"):
    return collections.Counter(row.state for row in shop.query("SELECT state FROM holdfast.coupon_use WHERE code = %s", code))


def agree(shop):
    shop.reconciled()
    assert shop.query("SELECT * FROM holdfast.reconcile_coupons()") == []


def test_what_is_paid_is_what_the_order_costs_and_coupons_follow_it(priced_shop):
    shop = priced_shop
    shop.run_relay()
    shop.payment_service(decline_at=DECLINED_AT)
    with shop.connect() as buyer:
        paid = shop.place(1, 1, 1, buyer, options={"coupons": ["TENTH"], "expectedTotalAmount": 8_100})
        declined = shop.place(2, 2, 1, buyer, options={"coupons": ["TENTH"]})
        refused = shop.place(1, 3, 1, buyer, options={"coupons": ["TENTH"]})
        dearer = shop.place(3, 1, 1, buyer, options={"expectedTotalAmount": 10_000})
    assert (refused[1], refused[2]["reason"]) == ("FAILED", "COUPON_EXHAUSTED")
    assert (dearer[1], dearer[2]["reason"], dearer[2]["finalTotalAmount"]) == ("FAILED", "PRICE_CHANGED", 9_000)
    shop.wait_status(paid[0], "COMPLETED")
    shop.wait_status(declined[0], "FAILED")
    assert uses(shop) == {"USED": 1, "RELEASED": 1}
    assert {row.by_role for row in shop.query("SELECT DISTINCT by_role FROM shop.asked")} == {"shop_app"}

    def told(topic, order):
        return wait_until(lambda: [v for r in shop.records(topic) if (v := json.loads(r.value))["orderId"] == order], f"{topic} of {order}")[0]
    created = told("order-created", paid[0])
    assert [created[m] for m in ("originalTotalAmount", "discountAmount", "finalTotalAmount")] == [10_000, 1_900, 8_100]
    assert created["lines"][0]["discountAmount"] == 1_000
    assert created["coupons"] == [{"code": "TENTH", "discountAmount": 900}]
    assert told("inventory-reserved", paid[0])["amount"] == 8_100
    confirmed = told("order-events", paid[0])
    assert [confirmed[m] for m in ("originalTotalAmount", "discountAmount", "finalTotalAmount")] == [10_000, 1_900, 8_100]
    assert shop.value("SELECT amount FROM holdfast.payment WHERE order_id = %s", paid[0]) == 8_100
    assert told("order-failed", dearer[0])["failedStep"] == "PRICE"
    agree(shop)


def test_requests_are_priced_with_the_relays_rights_and_wait_for_a_function_that_is_missing(priced_shop):
    shop = priced_shop
    shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"), partitions=1)
    shop.query("REVOKE USAGE ON SCHEMA shop FROM shop_relay")
    relay = shop.run_relay(inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    first = shop.submit(1, 1, options={"coupons": ["TENTH"]})
    again = shop.submit(1, 1, options={"coupons": ["TENTH"]})
    wait_until(lambda: "must not be called by role" in relay.log.read_text(), "the relay says what is wrong")
    status = "SELECT holdfast.order_status(%s::uuid)"
    assert shop.value(status, first)["status"] == "PROCESSING"
    shop.query("GRANT USAGE ON SCHEMA shop TO shop_relay")
    wait_until(lambda: shop.value(status, again)["status"] == "FAILED", "both are answered")
    assert shop.value(status, again)["reason"] == "COUPON_EXHAUSTED"
    order = shop.value(status, first)["orderId"]
    assert shop.value("SELECT final_total_amount FROM holdfast.orders WHERE order_id = %s", order) == 8_100
    assert {row.by_role for row in shop.query("SELECT DISTINCT by_role FROM shop.asked")} == {"shop_relay"}
    assert shop.query("SELECT * FROM holdfast.dead_letter") == []
    agree(shop)


def test_a_popular_coupon_is_used_as_often_as_it_may_be_and_no_more(make_shop):
    shop = make_shop()
    for product in (1, 2, 3, 4):
        shop.product(product, 1_000, 10_000)
    shop.query("CALL holdfast.set_coupon('RUSH', amount => 100, total_uses => 80, uses_per_user => 2)", user="shop_admin")
    answers, errors = [], []

    def client(part):
        try:
            with shop.connect() as buyer:
                for n in range(60):
                    order, status, detail = shop.place(n, 1 + (n + part) % 4, 1, buyer, options={"coupons": ["RUSH"]})
                    answers.append((status, detail.get("reason")))
                    # Some change their mind, and what they held goes to others.
                    if status == "PENDING" and n % 10 == part:
                        buyer.execute("CALL holdfast.cancel_order(%s)", (order,))
        except Exception as e:  # noqa: BLE001  looked at below
            errors.append(e)
    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert set(answers) <= {("PENDING", None), ("FAILED", "COUPON_EXHAUSTED")}
    counted = "SELECT uses FROM holdfast.coupon WHERE code = 'RUSH'"
    assert uses(shop, "RUSH")["HELD"] == shop.value(counted) <= 80
    # What was given back last is there for those who may still have it.
    for user in range(60):
        while shop.place(user, 1, 1, options={"coupons": ["RUSH"]})[1] == "PENDING":
            pass
    assert uses(shop, "RUSH")["HELD"] == shop.value(counted) == 80
    assert shop.value("SELECT max(uses) FROM holdfast.coupon_user") == 2
    agree(shop)

"""examples/rest/: every endpoint of the REST front, on a real database, and what it refuses.

Each answer is held against /openapi.json: the status is one of those that it names, and the body is what
its schema says.
"""

import json
import re
import sys
import threading
import urllib.error
import urllib.request
import uuid

import jsonschema
import pytest
from conftest import TEMPLATE
from harness.processes import ROOT, Process, free_ports
from harness.shop import Shop, expire
from harness.waiting import wait_until

FOLDER = ROOT / "examples/rest"
DECLINE_AT = 50_000
# As the reader of examples/README.md starts it.
COMMAND = re.search(r"`python3 (-m uvicorn shop_api:app)`", (ROOT / "examples/README.md").read_text())[1].split()

WRONG = (  # body, where it is wrong, a part of what is said of it
    (b'{"userId": 7,', "body", "JSON"),
    (b"", "body", "required"),
    ([], "body", "dictionary"),
    ({"userId": 7, "productId": 1}, "body.quantity", "required"),
    ({"userId": 7, "productId": 1, "quantity": 0}, "body.quantity", "greater than or equal to 1"),
    ({"userId": 7, "productId": 1, "quantity": -1}, "body.quantity", "greater than or equal to 1"),
    ({"userId": 7, "productId": 1, "quantity": 1.5}, "body.quantity", "integer"),
    ({"userId": 7, "productId": 1, "quantity": "2"}, "body.quantity", "integer"),
    ({"userId": 7, "productId": 1, "quantity": True}, "body.quantity", "integer"),
    ({"userId": 7, "productId": 2**63, "quantity": 1}, "body.productId", "less than or equal to"),
    ({"userId": None, "productId": 1, "quantity": 1}, "body.userId", "integer"),
    ({"userId": 7, "productId": 1, "quantity": 1, "qty": 1}, "body.qty", "not permitted"),
    ({"userId": 7, "lines": []}, "body.lines", "at least 1"),
    ({"userId": 7, "lines": [{"productId": 1, "quantity": 1}, {"productId": 1}]}, "body.lines.1.quantity", "required"),
    ({"userId": 7, "lines": "'; DROP TABLE orders; --"}, "body.lines", "list"),
)


class Front:
    """The running example, and a client that believes only its own description."""

    def __init__(self, shop):
        self.address = f"http://127.0.0.1:{free_ports()[0]}"
        cluster = shop.cluster
        self._process = Process(
            [sys.executable, *COMMAND, "--port", self.address.rsplit(":", 1)[1]],
            shop.directory / "rest.log", cwd=FOLDER,
            env={"PGHOST": str(cluster.socket_directory), "PGPORT": str(cluster.port), "PGDATABASE": shop.name,
                 "PGUSER": "shop_app", "PYTHONDONTWRITEBYTECODE": "1", "DECLINE_AT": str(DECLINE_AT)})
        try:
            wait_until(lambda: self._started(), "the REST front answers", 30)
            self.description = json.loads(self.page("/openapi.json"))
        except BaseException:
            self.close()
            raise

    def _started(self):
        if not self._process.running():
            raise AssertionError(f"the REST front ended:\n{self._process.tail()}")
        try:
            return self.page("/openapi.json")
        except OSError:
            return None

    def close(self):
        self._process.kill()

    def page(self, path):
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:
            return answer.read()

    def send(self, method, path, body=None, headers=None):
        """(status, body, headers) of one request; `body` is bytes, or what becomes JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method,
                                         headers={"Content-Type": "application/json", **(headers or {})})
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, json.loads(answer.read()), answer.headers

    def ask(self, method, path, body=None, key=None):
        """(status, body) of a request to one of the endpoints, checked."""
        status, answer, headers = self.send(method, path, body, {"Idempotency-Key": key} if key else None)
        kind = headers.get_content_type()
        where, operation = self._operation(method, path)
        assert str(status) in operation["responses"], f"{method} {where} does not tell of {status}: {answer}"
        content = operation["responses"][str(status)]["content"]
        assert kind in content, f"{method} {where} {status} is {kind}, not {list(content)}"
        jsonschema.validate(answer, {**content[kind]["schema"], "components": self.description["components"]})
        if status >= 400:
            assert (kind, answer["status"]) == ("application/problem+json", status)
        self.location = headers.get("Location")
        return status, answer

    def _operation(self, method, path):
        path = path.split("?")[0]
        known = [p for p in self.description["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path)]
        where = min(known, key=lambda p: p.count("{"))
        return where, self.description["paths"][where][method.lower()]

    # ---- shorter
    def post(self, path, body=None, key=None):
        return self.ask("POST", path, body, key)

    def get(self, path):
        return self.ask("GET", path)

    def placed(self, user_id=7, product_id=1, quantity=1):
        """The id of a new order."""
        status, order = self.post("/orders", {"userId": user_id, "productId": product_id, "quantity": quantity})
        assert status == 201, order
        return order["orderId"]

    def status_of(self, order_id):
        return self.get(f"/orders/{order_id}")[1]["status"]

    def available(self, product_id):
        return self.get(f"/inventory/{product_id}")[1]["available"]


@pytest.fixture
def shop(cluster, directory):
    """A shop without Kafka: nobody fetches its events."""
    shop = Shop(cluster, None, "rest", directory)
    cluster.create_database(shop.name, TEMPLATE)
    yield shop.seed()
    shop.close()


@pytest.fixture
def make_front():
    """Fronts of shops; closed after the test."""
    fronts = []

    def make(shop):
        fronts.append(Front(shop))
        return fronts[-1]
    yield make
    for front in fronts:
        front.close()


@pytest.fixture
def front(shop, make_front):
    return make_front(shop)


def test_an_order_is_placed_once_and_can_be_looked_at(shop, front):
    one = {"productId": 1, "quantity": 3, "userId": 7}
    status, order = front.post("/orders", one, key="cart-1")
    assert (status, order["status"], order["finalTotalAmount"], order["currency"]) == (201, "PENDING", 30_000, "KRW")
    assert order["durability"] == "elr", "place_order is called outside of a transaction"
    assert front.location == f"/orders/{order['orderId']}"

    status, again = front.post("/orders", one, key="cart-1")
    assert (status, again["orderId"], again["replayed"]) == (201, order["orderId"], True)
    # The short form is the same request as a cart of one line.
    assert front.post("/orders", {"userId": 7, "lines": [{"productId": 1, "quantity": 3}]}, key="cart-1")[1]["replayed"]
    status, other = front.post("/orders", one | {"quantity": 4}, key="cart-1")
    assert (status, other["sqlstate"]) == (422, "HF006")
    assert front.post("/orders", one | {"userId": 8}, key="cart-1")[1]["orderId"] != order["orderId"], "keys are a user's own"

    lines = [{"productId": 1, "quantity": 1}, {"productId": 2, "quantity": 2}, {"productId": 1, "quantity": 1}]
    status, cart = front.post("/orders", {"userId": 7, "lines": lines})
    assert (status, cart["finalTotalAmount"]) == (201, 70_000)
    status, seen = front.get(f"/orders/{cart['orderId']}")
    assert (status, seen["userId"], seen["status"]) == (200, 7, "PENDING")
    assert {line["productId"]: line["quantity"] for line in seen["lines"]} == {1: 2, 2: 2}
    assert [step["cause"] for step in seen["timeline"]] == ["place_order"]
    assert front.available(1) == 100 - 3 - 3 - 2
    shop.reconciled()


def test_an_order_that_stock_does_not_suffice_for_is_refused_as_a_whole(shop, front):
    lines = [{"productId": 1, "quantity": 1}, {"productId": 2, "quantity": 51}]
    status, refused = front.post("/orders", {"userId": 7, "lines": lines}, key="cart-2")
    assert (status, refused["reason"], refused["orderStatus"]) == (409, "OUT_OF_STOCK", "FAILED")
    assert refused["lines"] == [{"productId": 2, "requested": 51, "available": 50}]
    assert front.status_of(refused["orderId"]) == "FAILED"
    assert (front.available(1), front.available(2)) == (100, 50)
    status, again = front.post("/orders", {"userId": 7, "lines": lines}, key="cart-2")
    assert (status, again["orderId"]) == (409, refused["orderId"])

    buyers, answers = range(20), []

    def buy(user_id):
        answers.append(front.send("POST", "/orders", {"userId": user_id + 1, "productId": 2, "quantity": 5})[0])
    threads = [threading.Thread(target=buy, args=(n,)) for n in buyers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] * 10 + [409] * 10, "twenty buyers at once, and enough for ten"
    assert front.available(2) == 0
    shop.reconciled()


def test_a_wrong_request_is_told_what_is_wrong_and_where(shop, front):
    for body, where, what in WRONG:
        status, problem = front.post("/orders", body)
        assert status == 422, (body, problem)
        assert any(e["where"].startswith(where) and what in e["what"] for e in problem["errors"]), (body, problem)
    assert shop.value("SELECT count(*) FROM holdfast.orders") == 0


def test_nothing_of_what_is_wrong_reaches_the_database(shop, front):
    evil = "x'); DELETE FROM holdfast.orders; --"
    assert front.post("/orders", {"userId": 7, "productId": 999, "quantity": 1})[1]["sqlstate"] == "HF002"
    order_id = front.placed()
    assert front.post(f"/orders/{order_id}/cancel", {"reason": evil})[1]["reason"] == evil
    for path in ("/payments/" + "x%27%29%3B--/complete", "/payments/x%00y/complete", "/payments/" + "x" * 201 + "/fail"):
        assert front.post(path, {})[0] in (404, 422)
    assert front.post(f"/orders/{front.placed()}/cancel", {"reason": "a\0b"})[0] == 422
    assert front.get("/orders/0")[0] == front.get("/orders/x")[0] == front.get(f"/orders/{2**63}")[0] == 422
    assert front.get("/orders/requests/42?userId=7")[0] == 422
    assert front.post("/orders", {"userId": 7, "productId": 1, "quantity": 1}, key="x" * 201)[0] == 422
    status, problem, _ = front.send("GET", "/nowhere")
    assert (status, problem["title"]) == (404, "Not Found")
    assert front.send("DELETE", f"/orders/{order_id}")[0] == 405
    assert shop.value("SELECT count(*) FROM holdfast.orders") == 2
    # The front's role may call, and read; it may not write.
    assert not shop.value("SELECT has_table_privilege('shop_app', 'holdfast.orders', 'INSERT, UPDATE, DELETE')")


def test_an_order_is_cancelled_once(shop, front):
    order_id = front.placed(quantity=3)
    assert front.available(1) == 97
    status, ended = front.post(f"/orders/{order_id}/cancel", {"reason": "CHANGED_MIND"})
    assert (status, ended["status"], ended["reason"]) == (200, "CANCELLED", "CHANGED_MIND")
    status, again = front.post(f"/orders/{order_id}/cancel")
    assert (status, again["reason"], again["replayed"]) == (200, "CHANGED_MIND", True)
    assert front.available(1) == 100

    paid = front.placed()
    assert front.post("/payments", {"orderId": paid, "paymentId": "p-paid"})[0] == 201
    assert front.post("/payments/p-paid/complete", {})[0] == 200
    status, problem = front.post(f"/orders/{paid}/cancel")
    assert (status, problem["sqlstate"]) == (409, "HF008")
    assert "COMPLETED" in problem["detail"]
    assert front.post("/orders/999999/cancel")[0] == 404
    assert front.get("/orders/999999")[1]["sqlstate"] == "HF007"
    shop.reconciled()


def test_a_payment_is_begun_completed_and_refunded(shop, front):
    order_id = front.placed(quantity=3)
    status, payment = front.post("/payments", {"orderId": order_id})
    assert (status, payment["status"], payment["amount"], payment["attempt"]) == (201, "PENDING", 30_000, 1)
    where = f"/payments/{payment['paymentId']}"
    # All of it is pending, so it is not taken twice.
    assert front.post("/payments", {"orderId": order_id})[1]["sqlstate"] == "HF011"

    assert front.post("/payments/cancel", {"paymentId": payment["paymentId"]})[0] == 409, "nothing was paid yet"
    status, paid = front.post(f"{where}/complete", {"transactionKey": "TX-1", "cardType": "CREDIT"})
    assert (status, paid["status"], paid["orderStatus"], paid["transactionKey"]) == (200, "COMPLETED", "COMPLETED", "TX-1")
    assert front.post(f"{where}/complete", {"transactionKey": "TX-1"})[1]["replayed"]
    assert front.post(f"{where}/complete", {"transactionKey": "TX-2"})[1]["sqlstate"] == "HF006"
    status, problem = front.post(f"{where}/fail", {"reason": "LATE"})
    assert (status, problem["sqlstate"]) == (409, "HF008")
    assert front.post("/payments", {"orderId": order_id})[0] == 409, "the order is COMPLETED"

    assert front.get(where) == (200, {"paymentId": payment["paymentId"], "status": "COMPLETED", "orderId": order_id,
                                      "orderStatus": "COMPLETED", "amount": 30_000, "currency": "KRW", "attempt": 1,
                                      "transactionKey": "TX-1"})
    assert front.get("/payments/nobody")[0] == 404

    refund = {"paymentId": payment["paymentId"], "reason": "BROKEN"}
    assert front.post("/payments/cancel", refund | {"refunded": True})[0] == 409, "no refund is pending"
    status, back = front.post("/payments/cancel", refund)
    assert (status, back["status"], back["reason"]) == (200, "REFUND_PENDING", "BROKEN")
    assert front.post("/payments/cancel", refund)[1]["replayed"]
    assert front.post("/payments/cancel", refund | {"refunded": True})[1]["status"] == "REFUNDED"
    assert front.post("/payments/cancel", refund)[1]["status"] == "REFUNDED"
    assert [p["status"] for p in front.get(f"/orders/{order_id}")[1]["payments"]] == ["REFUNDED"]
    assert shop.value("SELECT count(*) FROM holdfast.outbox WHERE aggregatetype = 'refund-requested'") == 1


def test_a_payment_that_fails_may_be_tried_again_or_ends_the_order(shop, front):
    order_id = front.placed(quantity=3)
    assert front.post("/payments", {"orderId": order_id, "paymentId": "p-1"})[1]["paymentId"] == "p-1"
    assert front.post("/payments", {"orderId": order_id, "paymentId": "p-1"})[1]["replayed"]
    status, failed = front.post("/payments/p-1/fail", {"reason": "LIMIT_EXCEEDED"})
    assert (status, failed["status"], failed["orderStatus"]) == (200, "FAILED", "PENDING")
    assert front.post("/payments/p-1/fail")[1]["replayed"]
    assert front.post("/payments/p-1/complete")[0] == 409
    status, second = front.post("/payments", {"orderId": order_id, "amount": 30_000, "paymentId": "p-2"})
    assert (status, second["attempt"]) == (201, 2)
    status, failed = front.post("/payments/p-2/fail", {"reason": "LIMIT_EXCEEDED", "retryable": False})
    assert (failed["orderStatus"], front.available(1)) == ("FAILED", 100)

    other = front.placed()
    assert front.post("/payments", {"orderId": other, "paymentId": "p-1"})[1]["sqlstate"] == "HF024"
    assert front.post("/payments", {"orderId": other, "amount": 10_001})[1]["sqlstate"] == "HF011"
    for unknown in (front.post("/payments", {"orderId": 999_999}), front.post("/payments/nobody/complete"),
                    front.post("/payments/nobody/fail"), front.post("/payments/cancel", {"paymentId": "nobody"})):
        assert (unknown[0], unknown[1]["sqlstate"]) == (404, "HF007")
    shop.reconciled()


def test_inventory_is_reserved_and_released_for_another_service(shop, front):
    body = {"userId": 7, "lines": [{"productId": 3, "quantity": 20}]}
    status, held = front.post("/inventory", body, key="order 70001")
    assert (status, held["status"]) == (201, "PENDING")
    again = front.post("/inventory", body, key="order 70001")[1]
    assert (again["orderId"], again["replayed"]) == (held["orderId"], True)
    assert front.get("/inventory/3") == (200, {"productId": 3, "name": "teacup", "onHand": 200, "reserved": 20, "available": 180})
    status, short = front.post("/inventory", {"userId": 7, "productId": 3, "quantity": 181}, key="order 70002")
    assert (status, short["reason"]) == (409, "OUT_OF_STOCK")

    release = {"orderId": held["orderId"], "reason": "PAYMENT_FAILED"}
    assert front.post("/inventory/release", release)[1]["status"] == "CANCELLED"
    assert front.post("/inventory/release", release)[1]["replayed"]
    assert front.available(3) == 200, "given back once"
    assert front.post("/inventory/release", {"orderId": short["orderId"]})[0] == 409, "it was refused, and holds nothing"
    assert front.post("/inventory/release", {"orderId": 999_999})[0] == 404
    assert front.get("/inventory/999")[0] == 404
    shop.reconciled()


def test_the_saga_in_one_request_succeeds_or_is_rolled_back(shop, front):
    body = {"userId": 7, "productId": 1, "quantity": 3}
    status, done = front.post("/checkout", body, key="checkout-1")
    assert (status, done["message"], done["status"]) == (201, "Order processed successfully.", "COMPLETED")
    assert front.post("/checkout", body, key="checkout-1") == (201, done), "paid once, and answered again"
    assert [p["status"] for p in front.get(f"/orders/{done['orderId']}")[1]["payments"]] == ["COMPLETED"]

    status, declined = front.post("/checkout", {"userId": 7, "productId": 2, "quantity": 2}, key="checkout-2")
    assert (status, declined["title"]) == (402, "Order failed and rolled back.")
    assert (declined["reason"], declined["orderStatus"]) == ("LIMIT_EXCEEDED", "FAILED")
    assert front.post("/checkout", {"userId": 7, "productId": 2, "quantity": 2}, key="checkout-2") == (402, declined)

    status, short = front.post("/checkout", {"userId": 7, "productId": 2, "quantity": 51})
    assert (status, short["title"], short["reason"]) == (409, "Order failed and rolled back.", "OUT_OF_STOCK")
    assert (front.available(1), front.available(2)) == (97, 50)
    shop.reconciled()


def test_a_checkout_that_stopped_half_way_is_finished_by_the_same_request(shop, front):
    body = {"userId": 7, "productId": 1, "quantity": 1}
    # As far as a front came that was killed while the payment provider answered.
    order_id = front.post("/orders", body, key="checkout-3")[1]["orderId"]
    assert front.post("/payments", {"orderId": order_id, "paymentId": f"checkout-{order_id}"})[0] == 201
    status, done = front.post("/checkout", body, key="checkout-3")
    assert (status, done["orderId"]) == (201, order_id)
    assert [(p["status"], p["attempt"]) for p in front.get(f"/orders/{order_id}")[1]["payments"]] == [("COMPLETED", 1)]

    # Too late: the hold was over meanwhile, and the money that the provider took then goes back.
    late = front.post("/orders", body, key="checkout-4")[1]["orderId"]
    assert front.post("/payments", {"orderId": late, "paymentId": f"checkout-{late}"})[0] == 201
    expire(shop, late)
    assert shop.value("SELECT holdfast.expire_holds()") == 1
    status, problem = front.post("/checkout", body, key="checkout-4")
    assert (status, problem["title"], problem["orderStatus"]) == (409, "Order failed and rolled back.", "EXPIRED")
    assert [p["status"] for p in front.get(f"/orders/{late}")[1]["payments"]] == ["REFUND_PENDING"]
    shop.reconciled()


def test_an_order_for_later_is_answered_with_a_trace_id_and_placed_through_kafka(make_shop, make_front):
    shop = make_shop().seed()
    front = make_front(shop)
    shop.kafka.create(shop.topic("order-request"), shop.topic("order-request-dlq"))
    relay = shop.relay(inbox=[shop.binding("order-request", "holdfast.on_order_request")])
    assert relay.command("init").returncode == 0
    body = {"userId": 7, "productId": 2, "quantity": 50}
    status, accepted = front.post("/orders?async", body, key="later-1")
    assert (status, accepted["status"], accepted["userId"]) == (202, "PROCESSING", 7)
    where = front.location
    assert where == f"/orders/requests/{accepted['traceId']}?userId=7"
    assert front.get(where)[1]["status"] == "PROCESSING", "no relay runs yet"
    status, again = front.post("/orders?async=true", body, key="later-1")
    assert (status, again["traceId"]) == (202, accepted["traceId"])
    assert front.post("/orders?async", body | {"quantity": 49}, key="later-1")[1]["sqlstate"] == "HF006"
    assert front.post("/orders?async=later", body)[0] == 422

    relay.start().wait_ready()
    wait_until(lambda: front.get(where)[1]["status"] == "COMPLETED", "the request is placed")
    order_id = front.get(where)[1]["orderId"]
    assert (front.status_of(order_id), front.available(2)) == ("PENDING", 0)

    # One too many: an outcome, with its reason.
    short = front.post("/orders?async", {"userId": 8, "lines": [{"productId": 2, "quantity": 1}]})[1]["traceId"]
    answer = wait_until(lambda: (a := front.get(f"/orders/requests/{short}?userId=8")[1])["status"] != "PROCESSING" and a,
                        "the request is answered")
    assert (answer["status"], answer["reason"]) == ("FAILED", "OUT_OF_STOCK")
    # Nobody else's business.
    assert front.get(f"/orders/requests/{short}?userId=7")[0] == 404
    assert front.get(f"/orders/requests/{uuid.uuid4()}?userId=7")[0] == 404
    assert front.get(f"/orders/requests/{short}")[0] == 422, "somebody has to ask"
    shop.reconciled()


def test_the_front_survives_its_database(shop, front):
    def cut():
        shop.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = 'shop_app'", shop.name)
    front.placed()
    cut()
    shop.query("ALTER DATABASE {0} CONNECTION LIMIT 0".format(shop.name))
    status, problem = front.post("/orders", {"userId": 7, "productId": 1, "quantity": 1}, key="cut")
    assert (status, problem["status"]) == (503, 503)
    shop.query("ALTER DATABASE {0} CONNECTION LIMIT -1".format(shop.name))
    wait_until(lambda: front.post("/orders", {"userId": 7, "productId": 1, "quantity": 1}, key="cut")[0] == 201,
               "orders are placed again")
    assert front.available(1) == 98, "the order whose request was repeated was placed once"


def test_every_endpoint_is_described_and_the_page_needs_nobody_else(front):
    described = {(method.upper(), path) for path, item in front.description["paths"].items() for method in item}
    assert described == {
        ("POST", "/orders"), ("GET", "/orders/{orderId}"), ("POST", "/orders/{orderId}/cancel"),
        ("GET", "/orders/requests/{traceId}"), ("POST", "/checkout"),
        ("POST", "/payments"), ("GET", "/payments/{paymentId}"), ("POST", "/payments/{paymentId}/complete"),
        ("POST", "/payments/{paymentId}/fail"), ("POST", "/payments/cancel"),
        ("GET", "/inventory/{productId}"), ("POST", "/inventory"), ("POST", "/inventory/release")}
    page = front.page("/docs").decode()
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(part.endswith(".js") for part in parts) and "/openapi.json" in page
    for part in parts:
        assert part.startswith("/") and front.page(part), f"{part} is somebody else's"

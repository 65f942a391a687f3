"""A REST front of a shop on holdfast, with FastAPI: orders, payments and inventory over HTTP.

    PGHOST=... PGDATABASE=... PGUSER=... uvicorn shop_api:app      then http://127.0.0.1:8000/docs

An endpoint is one call of the extension, whose answer it passes on; a refusal or an error becomes
problem+json (RFC 9457) with an HTTP status that fits.  The database role needs what holdfast.grant_app
grants, and nothing else.

Nobody logs in here: the userId comes with the request, where a shop takes it from the session.  And
/inventory and /payments are for other services, not for the buyer's browser.
"""

import os
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import psycopg
from fastapi import Header, Path, Query, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline  # FastAPI, with the scripts of its documentation page on board
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from starlette.exceptions import HTTPException

# ---- what comes in ------------------------------------------------------------------------------

MAX_BIGINT = 2**63 - 1
Number = Annotated[int, Field(strict=True, ge=1, le=MAX_BIGINT)]
PathNumber = Annotated[int, Path(ge=1, le=MAX_BIGINT)]
PaymentId = Annotated[str, Field(min_length=1, max_length=200)]
IdempotencyKey = Annotated[str | None, Header(
    min_length=1, max_length=200,
    description="Made when the buyer presses the button, and kept over every repetition of the request.")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")  # a misspelt member is an error, not a default


class Line(Body):
    productId: Number
    quantity: Number


class Cart(Body):
    userId: Number
    lines: list[Line] = Field(min_length=1)


class OneProduct(Line):
    userId: Number

    @property
    def lines(self):
        return [Line(productId=self.productId, quantity=self.quantity)]


NewOrder = Annotated[
    Annotated[OneProduct, Tag("OneProduct")] | Annotated[Cart, Tag("Cart")],
    Discriminator(lambda body: "Cart" if isinstance(body, dict) and "lines" in body else "OneProduct")]


class Reason(Body):
    reason: str | None = None


class Release(Reason):
    orderId: Number


class NewPayment(Body):
    orderId: Number
    amount: Number | None = Field(None, description="Without it, all of the order that is neither paid nor pending.")
    paymentId: PaymentId | None = Field(None, description="Without it, one is made.")


class Outcome(Body):
    transactionKey: str | None = None
    cardType: str | None = None


class Declined(Outcome):
    reason: str | None = None
    retryable: bool = Field(True, description="The order waits for another attempt; otherwise it fails too.")


class Refund(Reason):
    paymentId: PaymentId
    refunded: bool = Field(False, description="The money is back: the second step.")


# ---- what goes out: the extension's answers, which may have further members ---------------------

class Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class Placed(Answer):
    orderId: int
    status: Literal["PENDING"]
    finalTotalAmount: int
    currency: str
    expiresAt: datetime


class Processed(Answer):
    message: Literal["Order processed successfully."]
    orderId: int
    status: Literal["COMPLETED"]
    paymentId: str


class Request(Answer):
    traceId: UUID
    userId: int
    status: Literal["PROCESSING", "COMPLETED", "FAILED"]
    orderId: int | None = None
    reason: str | None = None


class Order(Answer):
    orderId: int
    userId: int
    status: str
    finalTotalAmount: int
    currency: str
    reason: str | None = None
    lines: list[dict]
    payments: list[dict]
    timeline: list[dict]


class Ended(Answer):
    orderId: int
    status: str
    reason: str


class Payment(Answer):
    paymentId: str
    status: Literal["PENDING", "COMPLETED", "FAILED", "REFUND_PENDING", "REFUNDED"]
    orderId: int
    orderStatus: str
    amount: int | None = None
    currency: str


class Stock(BaseModel):
    productId: int
    name: str
    onHand: int
    reserved: int
    available: int


class Problem(Answer):
    title: str
    status: int
    detail: str | None = None
    reason: str | None = Field(None, description="Of a refusal, for example OUT_OF_STOCK.")
    sqlstate: str | None = Field(None, description="Of an error of the extension: docs/errors.md.")
    errors: list[dict] | None = Field(None, description="Of a request that is not valid: where, and what.")


PROBLEMS = {HTTPStatus.PAYMENT_REQUIRED: "declined by the payment provider",
            HTTPStatus.NOT_FOUND: "no such order, request, payment or product",
            HTTPStatus.CONFLICT: "refused, or not in a state for that",
            HTTPStatus.UNPROCESSABLE_ENTITY: "the request is not valid",
            HTTPStatus.SERVICE_UNAVAILABLE: "the database does not answer now; repeat the request"}


def problems(*statuses):
    """What /openapi.json says about these."""
    return {int(status): {"description": PROBLEMS[status], "content": {
        "application/problem+json": {"schema": Problem.model_json_schema()}}} for status in statuses}


def problem(status, title=None, headers=None, **more):
    return JSONResponse({"title": title or PROBLEMS[status], "status": status, **more}, status, headers,
                        media_type="application/problem+json")


# ---- the database -------------------------------------------------------------------------------

# Autocommit: at top level place_order releases its stock locks before it waits for the disk.
pool = ConnectionPool(min_size=1, max_size=10, timeout=5, open=False,
                      kwargs={"autocommit": True, "row_factory": namedtuple_row})


@asynccontextmanager
async def lifespan(_):
    pool.open()
    yield
    pool.close()


app = FastAPIOffline(title="A shop on holdfast", version="1", lifespan=lifespan,
                     responses=problems(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE))


def call(statement, *args):
    """The row that the statement answers with; None without one."""
    with pool.connection() as connection:
        return connection.execute(statement, args).fetchone()


def lines_of(order):
    return Jsonb([line.model_dump() for line in order.lines])


# What of the class HF is not in this list is a fault of the request.
HTTP_STATUS = {
    "HF007": HTTPStatus.NOT_FOUND,
    "HF008": HTTPStatus.CONFLICT,  # the order or the payment is in another state
    "HF011": HTTPStatus.CONFLICT,  # not the amount that is unpaid
    "HF024": HTTPStatus.CONFLICT,  # the payment belongs to another order
}


@app.exception_handler(psycopg.Error)
def database_error(_, error):
    state = error.sqlstate or ""
    if state.startswith("HF"):
        status = HTTP_STATUS.get(state, HTTPStatus.UNPROCESSABLE_ENTITY)
        return problem(status, detail=error.diag.message_primary, sqlstate=state)
    if isinstance(error, psycopg.DataError):  # a text that PostgreSQL cannot store, for example
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail=error.diag.message_primary or str(error))
    if isinstance(error, psycopg.OperationalError):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "1"})
    raise error


@app.exception_handler(RequestValidationError)
def invalid_request(_, error):
    def where(location):  # as the reader wrote it, without the model's name
        return ".".join(str(part) for part in location if part not in ("OneProduct", "Cart"))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY,
                   errors=[{"where": where(e["loc"]), "what": e["msg"]} for e in error.errors()])


@app.exception_handler(HTTPException)
def other_error(_, error):
    return problem(error.status_code, str(error.detail), error.headers)


# ---- orders -------------------------------------------------------------------------------------

def place(user_id, lines, key):
    return call("CALL holdfast.place_order(%s, %s, %s)", user_id, lines, key)


def placed_answer(placed):
    return refusal(placed) if placed.status == "FAILED" else {"orderId": placed.order_id, "status": placed.status,
                                                              **placed.detail}


def refusal(placed, title=None):
    return problem(HTTPStatus.CONFLICT, title, orderId=placed.order_id, orderStatus=placed.status, **placed.detail)


@app.post("/orders", status_code=201, response_model=Placed, tags=["orders"],
          responses={202: {"model": Request, "description": "With ?async: it will be placed."},
                     **problems(HTTPStatus.CONFLICT)})
def create_order(order: NewOrder, response: Response, idempotency_key: IdempotencyKey = None,
                 later: Annotated[Literal["", "true", "false"], Query(alias="async")] = "false"):
    """Places an order, which holds its stock until it is paid, cancelled or expires.

    `?async` answers at once with a trace id, and a relay places the order."""
    if later == "false":
        placed = place(order.userId, lines_of(order), idempotency_key)
        response.headers["Location"] = f"/orders/{placed.order_id}"
        return placed_answer(placed)

    trace_id = call("SELECT holdfast.submit_order(%s, %s, %s)", order.userId, lines_of(order), idempotency_key)[0]
    where = f"/orders/requests/{trace_id}?userId={order.userId}"
    return JSONResponse(request(trace_id, order.userId), 202, {"Location": where})


@app.get("/orders/requests/{traceId}", response_model=Request, response_model_exclude_none=True, tags=["orders"],
         responses=problems(HTTPStatus.NOT_FOUND))
def get_request(traceId: UUID, userId: Annotated[int, Query(ge=1, le=MAX_BIGINT)]):
    """What became of an order that was asked for with `?async`; other users' requests do not exist."""
    return request(traceId, userId)


def request(trace_id, user_id):
    return call("SELECT holdfast.order_status(%s::uuid, %s)", trace_id, user_id)[0]


@app.get("/orders/{orderId}", response_model=Order, response_model_exclude_none=True, tags=["orders"],
         responses=problems(HTTPStatus.NOT_FOUND))
def get_order(orderId: PathNumber):
    """State, lines, payments and timeline."""
    return order_status(orderId)


def order_status(order_id):
    return call("SELECT holdfast.order_status(%s::bigint)", order_id)[0]


@app.post("/orders/{orderId}/cancel", response_model=Ended, tags=["orders"],
          responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def cancel_order(orderId: PathNumber, body: Reason = Reason()):
    """The buyer does not want it: stock and money go back."""
    return cancel(orderId, body.reason)


def cancel(order_id, reason):
    ended = call("CALL holdfast.cancel_order(%s, %s)", order_id, reason)
    return {"orderId": order_id, "status": ended.status, **ended.detail}


# ---- the saga in one request --------------------------------------------------------------------

def charge(payment_id, amount):
    """The payment provider: why it declines, or None when it has the money.

    A real one is called over the network, with payment_id as its idempotency key."""
    return "LIMIT_EXCEEDED" if amount >= int(os.environ.get("DECLINE_AT", "50000")) else None


@app.post("/checkout", status_code=201, response_model=Processed, tags=["orders"],
          responses=problems(HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.CONFLICT))
def checkout(order: NewOrder, idempotency_key: IdempotencyKey = None):
    """Places an order and pays it: one answer, after the payment provider's.

    Each step is committed before the next begins, and may be repeated.  So a request that got no answer
    is sent again with its Idempotency-Key, and goes on where the first one stopped; when nobody sends it
    again, the hold expires and the stock goes back."""
    rolled_back = "Order failed and rolled back."
    placed = place(order.userId, lines_of(order), idempotency_key)
    if placed.status == "FAILED":
        return refusal(placed, rolled_back)

    payment_id = f"checkout-{placed.order_id}"
    payment = call("CALL holdfast.begin_payment(%s, payment_id => %s)", placed.order_id, payment_id)
    if payment.status == "PENDING":
        declined = charge(payment_id, payment.detail["amount"])  # no lock and no connection is held meanwhile
        if declined:
            call("CALL holdfast.fail_payment(%s, %s, retryable => false)", payment_id, declined)
        else:
            call("CALL holdfast.complete_payment(%s, %s)", payment_id, f"TX-{payment_id}")

    ended = order_status(placed.order_id)
    if ended["status"] != "COMPLETED":
        status = HTTPStatus.PAYMENT_REQUIRED if ended.get("failedStep") == "PAYMENT" else HTTPStatus.CONFLICT
        return problem(status, rolled_back, reason=ended.get("reason"), orderId=placed.order_id, orderStatus=ended["status"])
    return {"message": "Order processed successfully.", "orderId": placed.order_id, "status": ended["status"],
            "paymentId": payment_id}


# ---- payments -----------------------------------------------------------------------------------

def payment_answer(payment_id, row):
    return {"paymentId": payment_id, "status": row.status, **row.detail}


@app.post("/payments", status_code=201, response_model=Payment, tags=["payments"],
          responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def begin_payment(payment: NewPayment):
    """PENDING, and durable, before the payment provider is called with the paymentId as its idempotency key."""
    row = call("CALL holdfast.begin_payment(%s, %s, %s)", payment.orderId, payment.amount, payment.paymentId)
    return payment_answer(row.payment_id, row)


@app.get("/payments/{paymentId}", response_model=Payment, response_model_exclude_none=True, tags=["payments"],
         responses=problems(HTTPStatus.NOT_FOUND))
def get_payment(paymentId: PaymentId):
    """A payment as it is now; /orders/{orderId} has all of an order, with their history."""
    row = call("""SELECT p.status, p.amount, p.attempt, p.transaction_key, p.reason, p.order_id,
                         o.status AS order_status, o.currency
                  FROM holdfast.payment p JOIN holdfast.orders o ON o.order_id = p.order_id
                  WHERE p.payment_id = %s""", paymentId)
    if row is None:
        return problem(HTTPStatus.NOT_FOUND, detail=f"payment {paymentId} does not exist")
    return {"paymentId": paymentId, "status": row.status, "orderId": row.order_id, "orderStatus": row.order_status,
            "amount": row.amount, "currency": row.currency, "attempt": row.attempt,
            "transactionKey": row.transaction_key, "reason": row.reason}


@app.post("/payments/cancel", response_model=Payment, tags=["payments"],
          responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def refund_payment(refund: Refund):
    """The money goes back: first it has to (REFUND_PENDING), with `refunded` it has (REFUNDED)."""
    row = call("CALL holdfast.refund_payment(%s, %s, %s)", refund.paymentId, refund.reason, refund.refunded)
    return payment_answer(refund.paymentId, row)


@app.post("/payments/{paymentId}/complete", response_model=Payment, tags=["payments"],
          responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def complete_payment(paymentId: PaymentId, outcome: Outcome = Outcome()):
    """The money was taken; with the last payment that was missing, the order is COMPLETED."""
    row = call("CALL holdfast.complete_payment(%s, %s, %s)", paymentId, outcome.transactionKey, outcome.cardType)
    return payment_answer(paymentId, row)


@app.post("/payments/{paymentId}/fail", response_model=Payment, tags=["payments"],
          responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def fail_payment(paymentId: PaymentId, outcome: Declined = Declined()):
    """The money was not taken."""
    row = call("CALL holdfast.fail_payment(%s, %s, %s, %s, %s)", paymentId, outcome.reason, outcome.transactionKey,
               outcome.cardType, outcome.retryable)
    return payment_answer(paymentId, row)


# ---- inventory ----------------------------------------------------------------------------------

@app.get("/inventory/{productId}", response_model=Stock, tags=["inventory"], responses=problems(HTTPStatus.NOT_FOUND))
def get_stock(productId: PathNumber):
    """What can be sold now."""
    row = call("SELECT * FROM holdfast.availability(ARRAY[%s::bigint])", productId)
    if row is None:
        return problem(HTTPStatus.NOT_FOUND, detail=f"product {productId} does not exist")
    return {"productId": row.product_id, "name": row.name, "onHand": row.on_hand, "reserved": row.reserved,
            "available": row.available}


@app.post("/inventory", status_code=201, response_model=Placed, tags=["inventory"], responses=problems(HTTPStatus.CONFLICT))
def reserve(order: NewOrder, idempotency_key: IdempotencyKey = None):
    """Holds stock for a service that keeps its orders elsewhere, whose own number of the order is a good
    Idempotency-Key; the orderId of the answer is what it releases, or pays."""
    return placed_answer(place(order.userId, lines_of(order), idempotency_key))


@app.post("/inventory/release", response_model=Ended, tags=["inventory"],
          responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def release(body: Release):
    """Gives back what the order holds, as /orders/{orderId}/cancel does; again changes nothing."""
    return cancel(body.orderId, body.reason)

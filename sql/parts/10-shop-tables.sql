-- Part 10: catalogue, stock, orders, reservations, payments.
--
-- Money is bigint in minor units with a currency.  Only the extension's functions write these tables.
-- Nothing that is inserted per order has a foreign key: its parents are locked by the same function,
-- and a key-share lock on the stock row would be a second lock on the hottest row of the database.
-- Locks are taken in one order everywhere: idempotency row, admission ticket, order row, the customer's
-- counts by product_id and user_id, stock rows by product_id, uses of coupons by code and user, coupons by
-- code.

CREATE TABLE holdfast.product (
    product_id       bigint PRIMARY KEY,
    name             text NOT NULL,
    unit_price       bigint NOT NULL CHECK (unit_price >= 0),
    currency         text NOT NULL DEFAULT 'KRW' CHECK (currency ~ '^[A-Z]{3}$'),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    waiting_room_id  int,
    max_per_order    bigint CHECK (max_per_order > 0),
    max_per_user     bigint CHECK (max_per_user > 0),
    limit_window     interval CHECK (limit_window > interval '0')
);
COMMENT ON TABLE holdfast.product IS 'what can be sold, and at which price from now on; written by set_product()';
COMMENT ON COLUMN holdfast.product.unit_price IS 'price of one unit in minor units of the currency';
COMMENT ON COLUMN holdfast.product.waiting_room_id IS 'orders need a token of this room; NULL: none';
COMMENT ON COLUMN holdfast.product.max_per_order IS 'most units in one order; NULL: any number';
COMMENT ON COLUMN holdfast.product.max_per_user IS 'most units of one customer within limit_window; NULL: any number';
COMMENT ON COLUMN holdfast.product.limit_window IS 'how long an order counts towards max_per_user; NULL: for ever';

-- One row per product, updated by every order.  The room on the page keeps these updates HOT, so no
-- column that changes may be indexed; vacuum comes early because one row may collect thousands of
-- versions in a second.
CREATE TABLE holdfast.stock (
    product_id    bigint PRIMARY KEY REFERENCES holdfast.product,
    on_hand       bigint NOT NULL DEFAULT 0,
    reserved      bigint NOT NULL DEFAULT 0,
    safety_stock  bigint NOT NULL DEFAULT 0,
    mode          text NOT NULL DEFAULT 'row',
    version       bigint NOT NULL DEFAULT 0,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    -- One constraint, because each is parsed anew by every update of the row, under its lock.
    CONSTRAINT stock_not_oversold
        CHECK (on_hand >= reserved AND reserved >= 0 AND safety_stock >= 0 AND mode = 'row')
) WITH (fillfactor = 10,
        autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 20000);
COMMENT ON TABLE holdfast.stock IS 'how much of each product there is; available = on_hand - reserved - safety_stock';
COMMENT ON COLUMN holdfast.stock.on_hand IS 'units that were received and not adjusted away; its history is stock_ledger';
COMMENT ON COLUMN holdfast.stock.reserved IS 'units HELD or SOLD: completing an order does not touch this row';
COMMENT ON COLUMN holdfast.stock.safety_stock IS 'units that are never sold';
COMMENT ON COLUMN holdfast.stock.version IS 'counts the changes of this row; consumers of inventory-updated order by it';

CREATE SEQUENCE holdfast.stock_ledger_id_seq;
CREATE TABLE holdfast.stock_ledger (
    ledger_id      bigint NOT NULL DEFAULT nextval('holdfast.stock_ledger_id_seq'),
    product_id     bigint NOT NULL,
    delta_on_hand  bigint NOT NULL,
    on_hand_after  bigint NOT NULL,
    cause          text NOT NULL CHECK (cause IN ('SET', 'RESTOCK', 'ADJUST', 'REPAIR')),
    reason         text,
    actor          text NOT NULL DEFAULT session_user,
    order_id       bigint,
    at             timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (at);
ALTER SEQUENCE holdfast.stock_ledger_id_seq OWNED BY holdfast.stock_ledger.ledger_id;
CREATE INDEX stock_ledger_product ON holdfast.stock_ledger (product_id, ledger_id);
CREATE TABLE holdfast.stock_ledger_default PARTITION OF holdfast.stock_ledger DEFAULT;
COMMENT ON TABLE holdfast.stock_ledger IS 'every change of stock.on_hand: who, when, why; append-only';

CREATE SEQUENCE holdfast.order_id_seq;

CREATE TABLE holdfast.orders (
    order_id               bigint NOT NULL PRIMARY KEY,
    user_id                bigint NOT NULL,
    status                 text NOT NULL
                           CHECK (status IN ('PENDING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    currency               text,
    original_total_amount  bigint NOT NULL CHECK (original_total_amount >= 0),
    discount_amount        bigint NOT NULL DEFAULT 0 CHECK (discount_amount >= 0),
    final_total_amount     bigint NOT NULL CHECK (final_total_amount >= 0),
    failure_step           text,
    failure_reason         text,
    failure_message        text,
    trace_id               text,
    traceparent            text,
    idempotency_key        text,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    expires_at             timestamptz,
    saga                   text,
    placed_elsewhere       boolean
) PARTITION BY RANGE (order_id);
COMMENT ON TABLE holdfast.orders IS 'PENDING -> COMPLETED | FAILED | CANCELLED | EXPIRED';
COMMENT ON COLUMN holdfast.orders.currency IS 'NULL only for an order that was refused before it had a price';
COMMENT ON COLUMN holdfast.orders.discount_amount IS
    'of lines, of the order and of coupons together; original_total_amount less this is final_total_amount';
COMMENT ON COLUMN holdfast.orders.failure_step IS 'PRICE, RESERVE, PAYMENT, CANCEL, TIMEOUT, or the step that another service named';
COMMENT ON COLUMN holdfast.orders.trace_id IS 'holdfast.trace_id of the session that placed it; later events about the order carry it';
COMMENT ON COLUMN holdfast.orders.expires_at IS 'when the hold ends; NULL: never';
COMMENT ON COLUMN holdfast.orders.saga IS 'NULL: reserve_first; else the order has a saga_instance';
COMMENT ON COLUMN holdfast.orders.placed_elsewhere IS
    'true: taken in by on_order_created(); whoever placed it publishes order-events and payment-event, this database what happens to its stock';
CREATE INDEX orders_trace ON holdfast.orders (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE holdfast.order_line (
    order_id         bigint NOT NULL,
    line_no          int NOT NULL,
    product_id       bigint NOT NULL,
    quantity         bigint NOT NULL,
    unit_price       bigint NOT NULL,
    discount_amount  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, line_no),
    CONSTRAINT order_line_positive CHECK (quantity > 0 AND unit_price >= 0 AND discount_amount >= 0)
) PARTITION BY RANGE (order_id);
COMMENT ON TABLE holdfast.order_line IS 'what was ordered, one line per product, with the price of that moment';
COMMENT ON COLUMN holdfast.order_line.discount_amount IS
    'taken off this line by the price function; what is taken off the order as a whole is in orders';

CREATE TABLE holdfast.reservation (
    order_id    bigint NOT NULL,
    product_id  bigint NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    state       text NOT NULL CHECK (state IN ('HELD', 'SOLD', 'RELEASED', 'EXPIRED')),
    expires_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, product_id)
) PARTITION BY RANGE (order_id);
CREATE INDEX reservation_held ON holdfast.reservation (expires_at) WHERE state = 'HELD';
COMMENT ON TABLE holdfast.reservation IS
    'HELD -> SOLD | RELEASED | EXPIRED; stock.reserved is the sum of what is HELD or SOLD';

-- PENDING is told by orders.created_at; a row here is a later change, or an event that was ignored.
CREATE TABLE holdfast.order_history (
    order_id  bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    status    text NOT NULL,
    cause     text NOT NULL,
    detail    jsonb
) PARTITION BY RANGE (order_id);
CREATE INDEX order_history_order ON holdfast.order_history (order_id);
COMMENT ON TABLE holdfast.order_history IS 'what happened to an order after it was placed';
COMMENT ON COLUMN holdfast.order_history.status IS 'status of the order after it';
COMMENT ON COLUMN holdfast.order_history.cause IS 'the call or event; "... ignored" when it changed nothing';

-- Ten million orders a partition.  maintain() makes the next one long before it is needed; the default
-- partitions are there so that an order never fails for want of one.
CREATE TABLE holdfast.orders_p0 PARTITION OF holdfast.orders
    FOR VALUES FROM (MINVALUE) TO (10000000) WITH (fillfactor = 90);
CREATE TABLE holdfast.order_line_p0 PARTITION OF holdfast.order_line
    FOR VALUES FROM (MINVALUE) TO (10000000);
CREATE TABLE holdfast.reservation_p0 PARTITION OF holdfast.reservation
    FOR VALUES FROM (MINVALUE) TO (10000000) WITH (fillfactor = 90);
CREATE TABLE holdfast.order_history_p0 PARTITION OF holdfast.order_history
    FOR VALUES FROM (MINVALUE) TO (10000000);
CREATE TABLE holdfast.orders_default PARTITION OF holdfast.orders DEFAULT;
CREATE TABLE holdfast.order_line_default PARTITION OF holdfast.order_line DEFAULT;
CREATE TABLE holdfast.reservation_default PARTITION OF holdfast.reservation DEFAULT;
CREATE TABLE holdfast.order_history_default PARTITION OF holdfast.order_history DEFAULT;

CREATE TABLE holdfast.idempotency (
    user_id       bigint NOT NULL,
    key           text NOT NULL,
    request_hash  bytea NOT NULL,
    order_id      bigint,
    status        text,
    detail        jsonb,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
COMMENT ON TABLE holdfast.idempotency IS 'the first answer to a request, by the key that the caller chose';

-- An order-failed that overtook its order.  Whoever writes a row here, or places an order under an id
-- that the caller chose, first takes lock_order_id(), so that one of the two sees the other.
CREATE TABLE holdfast.order_tombstone (
    order_id    bigint PRIMARY KEY,
    step        text,
    reason      text,
    message     text,
    event_id    text,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE holdfast.order_tombstone IS 'orders that failed before they were placed: place_order() then takes no stock';

-- Written only under the lock of the order.  An attempt is numbered when begin_payment() made it; what a
-- payment service did on its own account has none.
CREATE TABLE holdfast.payment (
    payment_id       text PRIMARY KEY,
    order_id         bigint NOT NULL,
    user_id          bigint,
    amount           bigint CHECK (amount >= 0),
    status           text NOT NULL
                     CHECK (status IN ('PENDING', 'COMPLETED', 'FAILED', 'REFUND_PENDING', 'REFUNDED')),
    attempt          int CHECK (attempt > 0),
    transaction_key  text,
    card_type        text,
    reason           text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    due_at           timestamptz
);
CREATE INDEX payment_order ON holdfast.payment (order_id);
CREATE INDEX payment_due ON holdfast.payment (due_at) WHERE status = 'PENDING';
COMMENT ON TABLE holdfast.payment IS
    'PENDING -> COMPLETED | FAILED; what was paid and is not wanted -> REFUND_PENDING -> REFUNDED; one row per payment id';
COMMENT ON COLUMN holdfast.payment.status IS
    'REFUND_PENDING: the money came too late, twice, or was asked back, and refund-requested was published';
COMMENT ON COLUMN holdfast.payment.attempt IS 'counts what begin_payment() began for the order; NULL: told by a payment service';
COMMENT ON COLUMN holdfast.payment.transaction_key IS 'the payment service''s own key of the transaction';
COMMENT ON COLUMN holdfast.payment.due_at IS 'from when on a PENDING payment is in pending_payments';

CREATE TABLE holdfast.payment_history (
    order_id    bigint NOT NULL,
    payment_id  text NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    status      text NOT NULL,
    cause       text NOT NULL,
    detail      jsonb
) PARTITION BY RANGE (order_id);
CREATE INDEX payment_history_order ON holdfast.payment_history (order_id);
CREATE TABLE holdfast.payment_history_p0 PARTITION OF holdfast.payment_history
    FOR VALUES FROM (MINVALUE) TO (10000000);
CREATE TABLE holdfast.payment_history_default PARTITION OF holdfast.payment_history DEFAULT;
COMMENT ON TABLE holdfast.payment_history IS 'every state that a payment has reached, from the first; append-only';
COMMENT ON COLUMN holdfast.payment_history.status IS 'status of the payment after it';
COMMENT ON COLUMN holdfast.payment_history.cause IS 'the call or event';

-- Part 13: orders that were asked for and are placed later.

-- Made in the transaction that publishes order-request, so that whoever holds a trace id always finds
-- what became of it.  The rows of a day leave with their partition; a trace id that an application made
-- otherwise than as a UUIDv7 is in the default one.
CREATE TABLE holdfast.order_request (
    trace_id         uuid NOT NULL PRIMARY KEY,
    user_id          bigint NOT NULL,
    idempotency_key  text,
    lines            jsonb NOT NULL,
    options          jsonb,
    status           text NOT NULL DEFAULT 'PROCESSING' CHECK (status IN ('PROCESSING', 'COMPLETED', 'FAILED')),
    admitted_room    int,
    order_id         bigint,
    reason           text,
    message          text,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (trace_id);
CREATE INDEX order_request_key ON holdfast.order_request (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE holdfast.order_request_default PARTITION OF holdfast.order_request DEFAULT WITH (fillfactor = 70);
COMMENT ON TABLE holdfast.order_request IS 'PROCESSING -> COMPLETED (an order was placed) | FAILED; answered by order_status(trace_id)';
COMMENT ON COLUMN holdfast.order_request.order_id IS 'the order; of a refusal too, when refusals are recorded';
COMMENT ON COLUMN holdfast.order_request.admitted_room IS
    'the waiting room whose token submit_order() has used, until an order is placed on the strength of it';
COMMENT ON COLUMN holdfast.order_request.reason IS 'of the refusal (OUT_OF_STOCK, LIMIT_EXCEEDED, PRICE_CHANGED ...), or DEAD_LETTER: it could not be applied, see dead_letter';

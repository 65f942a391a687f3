-- Part 40: placing orders, in C++ (extension/src).
--
-- A SECURITY DEFINER function cannot commit, and place_order has to, to release its locks early.  So
-- the work is a definer function that nobody may call, and the procedures that applications call run
-- with the caller's rights and do nothing but call it and commit.

CREATE FUNCTION holdfast.place_order_work(
    user_id bigint, lines jsonb, by_item boolean, product_id bigint, quantity bigint,
    idempotency_key text, options jsonb, durability text, lock_stock_first boolean,
    OUT order_id bigint, OUT status text, OUT detail jsonb)
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, holdfast, pg_temp
    AS 'MODULE_PATHNAME', 'holdfast_place_order_work';
COMMENT ON FUNCTION holdfast.place_order_work IS
    'internal: what place_order and place_order_item do, without the commit';

CREATE PROCEDURE holdfast.place_order(
    user_id bigint, lines jsonb, idempotency_key text DEFAULT NULL, options jsonb DEFAULT NULL,
    INOUT order_id bigint DEFAULT NULL, INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE C
    AS 'MODULE_PATHNAME', 'holdfast_place_order';
COMMENT ON PROCEDURE holdfast.place_order IS
    'Places an order: all lines or none.  lines: [{"productId":1,"quantity":3}]; options: orderId, holdSeconds, traceId, saga, admissionToken, coupons, pricingContext, expectedTotalAmount.  status PENDING, or FAILED with detail.reason.';

-- A name of its own: as an overload, CALL place_order(7, '[...]', 'key') would resolve to it.
CREATE PROCEDURE holdfast.place_order_item(
    user_id bigint, product_id bigint, quantity int, idempotency_key text DEFAULT NULL, options jsonb DEFAULT NULL,
    INOUT order_id bigint DEFAULT NULL, INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE C
    AS 'MODULE_PATHNAME', 'holdfast_place_order_item';
COMMENT ON PROCEDURE holdfast.place_order_item IS 'place_order for one product';

REVOKE ALL ON FUNCTION holdfast.place_order_work(
    bigint, jsonb, boolean, bigint, bigint, text, jsonb, text, boolean) FROM PUBLIC;
REVOKE ALL ON PROCEDURE
    holdfast.place_order(bigint, jsonb, text, jsonb, bigint, text, jsonb),
    holdfast.place_order_item(bigint, bigint, int, text, jsonb, bigint, text, jsonb) FROM PUBLIC;

-- Part 42: many orders in one transaction, in C++ (extension/src/core/place_orders.cpp).

CREATE FUNCTION holdfast.place_orders_work(
    user_ids bigint[], lines jsonb[], idempotency_keys text[], options jsonb[], durability text) RETURNS jsonb
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, holdfast, pg_temp
    AS 'MODULE_PATHNAME', 'holdfast_place_orders_work';
COMMENT ON FUNCTION holdfast.place_orders_work IS 'internal: what place_orders and on_order_request do';

CREATE FUNCTION holdfast.check_order_request(
    user_id bigint, lines jsonb, idempotency_key text, options jsonb) RETURNS void
    LANGUAGE C IMMUTABLE
    AS 'MODULE_PATHNAME', 'holdfast_check_order_request';
COMMENT ON FUNCTION holdfast.check_order_request IS
    'Raises what is wrong with a request before anybody looks at its products: HF001, HF003, HF004, HF005, HF009.';

CREATE PROCEDURE holdfast.place_orders(orders jsonb, INOUT results jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    user_ids bigint[];
    lines jsonb[];
    keys text[];
    options jsonb[];
    problems text[];
BEGIN
    IF orders IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'orders must not be null';
    END IF;
    IF jsonb_typeof(orders) <> 'array' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = 'orders must be an array of objects',
            HINT = 'An example is [{"userId":7,"lines":[{"productId":1,"quantity":3}],"idempotencyKey":"cart-42"}].';
    END IF;

    SELECT array_agg(o.user_id ORDER BY o.n), array_agg(o.lines ORDER BY o.n), array_agg(o.key ORDER BY o.n),
           array_agg(o.options ORDER BY o.n), array_agg(o.problem ORDER BY o.n)
    INTO user_ids, lines, keys, options, problems
    FROM (SELECT e.n,
                 CASE WHEN e.item->>'userId' ~ '^-?[0-9]{1,18}$' AND jsonb_typeof(e.item->'userId') = 'number'
                      THEN (e.item->>'userId')::bigint END AS user_id,
                 nullif(e.item->'lines', 'null') AS lines, e.item->>'idempotencyKey' AS key,
                 nullif(e.item->'options', 'null') AS options,
                 CASE WHEN jsonb_typeof(e.item) <> 'object' THEN 'an order must be an object'
                      WHEN e.item - '{userId,lines,idempotencyKey,options}'::text[] <> '{}' THEN
                          format('unknown member "%s" of an order',
                                 (SELECT k FROM jsonb_object_keys(e.item) k
                                  WHERE k NOT IN ('userId', 'lines', 'idempotencyKey', 'options') LIMIT 1))
                      WHEN jsonb_typeof(e.item->'userId') NOT IN ('number', 'null') THEN 'userId must be an integer'
                      WHEN jsonb_typeof(e.item->'idempotencyKey') NOT IN ('string', 'null') THEN 'idempotencyKey must be a string'
                 END AS problem
          FROM jsonb_array_elements(orders) WITH ORDINALITY AS e(item, n)) o;

    -- What is no order goes in as one without a user, so that places correspond, and its answer is replaced.
    results := place_orders_work(
        ARRAY(SELECT CASE WHEN u.problem IS NULL THEN u.user_id END
              FROM unnest(user_ids, problems) WITH ORDINALITY AS u(user_id, problem, n) ORDER BY u.n),
        lines, keys, options, 'tx');
    IF array_remove(problems, NULL) <> '{}' THEN
        SELECT jsonb_agg(CASE WHEN r.problem IS NULL THEN r.result
                              ELSE jsonb_build_object('status', 'ERROR', 'sqlstate', 'HF001', 'message', r.problem) END
                         ORDER BY r.n)
        INTO results
        FROM (SELECT e.n, e.result, problems[e.n] AS problem
              FROM jsonb_array_elements(results) WITH ORDINALITY AS e(result, n)) r;
    END IF;
END
$$;
COMMENT ON PROCEDURE holdfast.place_orders IS
    'Places up to 1,000 orders in one transaction: orders [{"userId":7,"lines":[...],"idempotencyKey":"...","options":{...}}], results in the same order, each {"orderId","status","detail"} as place_order answers, or {"status":"ERROR","sqlstate","message"} for a request that is wrong in itself. First come, first served; the option orderId is not one of a batch.';

-- How much one order and one customer may take.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(6201, 'shoe', 100, on_hand => 100);
CALL holdfast.set_product(6202, 'hat', 7, on_hand => 100);
CREATE FUNCTION raises(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
CREATE FUNCTION place(user_id bigint, lines jsonb, key text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order(user_id, lines, key, NULL, order_id, status, detail);
    RETURN concat_ws(' ', status, detail->>'reason', detail->>'lines', CASE WHEN detail ? 'replayed' THEN 'replayed' END);
END $$;
CREATE FUNCTION buy(user_id bigint, quantity bigint, product_id bigint DEFAULT 6201) RETURNS text LANGUAGE sql AS $$
    SELECT place(user_id, jsonb_build_array(jsonb_build_object('productId', product_id, 'quantity', quantity))) $$;
CREATE FUNCTION last_order(user_id bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT max(order_id) FROM holdfast.orders o WHERE o.user_id = last_order.user_id AND o.status = 'PENDING' $$;
CREATE VIEW counted AS
    SELECT t.user_id, t.product_id, t.quantity, o.status FROM holdfast.customer_take t JOIN holdfast.orders o USING (order_id)
    WHERE t.product_id IN (6201, 6202) ORDER BY 1, 2, o.order_id;

-- Per order: lines of one product are one line.
CALL holdfast.set_product_limits(6201, max_per_order => 3);
SELECT buy(6221, 3), buy(6221, 4);
SELECT place(6221, '[{"productId":6201,"quantity":2},{"productId":6202,"quantity":9},{"productId":6201,"quantity":2}]');
SELECT count(*) AS counts_nothing FROM counted;
SELECT failure_step, failure_reason, failure_message FROM holdfast.orders WHERE user_id = 6221 AND status = 'FAILED' ORDER BY order_id;
SELECT o.payload::jsonb - '{eventId,occurredAt,orderId}'::text[] AS payload
FROM holdfast.outbox o JOIN holdfast.orders s ON o.aggregateid = s.order_id::text WHERE s.user_id = 6221 AND o.aggregatetype = 'order-failed' ORDER BY o.id LIMIT 1;

-- Per customer.  What was ordered before the product had a limit does not count.
CALL holdfast.set_product_limits(6201, max_per_order => 3, max_per_user => 4);
SELECT buy(6221, 3), buy(6221, 2), buy(6221, 1), buy(6221, 1), buy(6222, 3);
SELECT * FROM counted;
SELECT failure_message FROM holdfast.orders WHERE user_id = 6221 AND status = 'FAILED' ORDER BY order_id DESC LIMIT 1;
SELECT on_hand - reserved AS left FROM holdfast.stock WHERE product_id = 6201;
-- Cancelled, failed, expired: it counts no more.  Completed: it does.
SELECT last_order(6221) AS id \gset
CALL holdfast.cancel_order(:id) \gset
SELECT buy(6221, 1), buy(6221, 1);
SELECT last_order(6221) AS id \gset
CALL holdfast.fail_order(:id) \gset
SELECT buy(6221, 1), buy(6221, 1);
SELECT last_order(6221) AS id \gset
UPDATE holdfast.orders SET expires_at = now() - interval '1 s' WHERE order_id = :id;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 s' WHERE order_id = :id;
SELECT holdfast.expire_holds();
SELECT buy(6221, 1), buy(6221, 1);
SELECT last_order(6221) AS id \gset
CALL holdfast.complete_order(:id) \gset
SELECT buy(6221, 1);
SELECT * FROM counted;
-- By an event, too.
SELECT last_order(6221) AS id \gset
SELECT holdfast.on_order_failed('k', jsonb_build_object('orderId', :id), '{}');
SELECT buy(6221, 2), buy(6221, 3);

-- Two limits in one order; a refusal takes nothing of either.
CALL holdfast.set_product_limits(6202, max_per_user => 1);
SELECT place(6223, '[{"productId":6202,"quantity":2},{"productId":6201,"quantity":3}]'), place(6223, '[{"productId":6202,"quantity":1},{"productId":6201,"quantity":3}]');
SELECT place(6223, '[{"productId":6202,"quantity":1},{"productId":6201,"quantity":2}]');
SELECT failure_message FROM holdfast.orders WHERE user_id = 6223 AND status = 'FAILED' ORDER BY order_id DESC LIMIT 1;
-- Out of stock, and rolled back: nothing is counted.
UPDATE holdfast.stock SET safety_stock = 1000 WHERE product_id = 6202;
SELECT buy(6224, 1, 6202);
UPDATE holdfast.stock SET safety_stock = 0 WHERE product_id = 6202;
BEGIN;
SELECT buy(6224, 1, 6202), buy(6224, 1, 6202);
ROLLBACK;
SELECT buy(6224, 1, 6202);
-- The first answer of a key, whatever was taken since.
SELECT place(6225, '[{"productId":6202,"quantity":1}]', 'k'), place(6225, '[{"productId":6202,"quantity":1}]', 'k'), place(6225, '[{"productId":6202,"quantity":1}]', 'k2'), place(6225, '[{"productId":6202,"quantity":1}]', 'k2');
SET holdfast.record_refusals = off;
SELECT count(*) AS before FROM holdfast.orders WHERE user_id = 6225 \gset
SELECT buy(6225, 1, 6202);
CALL holdfast.place_order_item(6225, 6202, 1) \gset
SELECT :'status' AS status, :{?order_id} AS has_order, :'detail'::jsonb - 'durability' AS detail;
SELECT count(*) - :before AS recorded FROM holdfast.orders WHERE user_id = 6225;
RESET holdfast.record_refusals;
-- At top level, where the locks are released early.
CALL holdfast.place_order_item(6226, 6202, 1) \gset
SELECT :'status' AS status;

-- A window: what was taken before it does not count.
CALL holdfast.set_product_limits(6202, max_per_user => 2, limit_window => '1 day');
SELECT buy(6227, 1, 6202), buy(6227, 1, 6202), buy(6227, 1, 6202);
UPDATE holdfast.customer_take SET taken_at = taken_at - interval '23 hours' WHERE user_id = 6227;
SELECT buy(6227, 1, 6202);
UPDATE holdfast.customer_take SET taken_at = taken_at - interval '2 hours'
WHERE order_id = (SELECT min(order_id) FROM holdfast.customer_take WHERE user_id = 6227);
SELECT buy(6227, 2, 6202), buy(6227, 1, 6202), buy(6227, 1, 6202);
-- A limit that is lowered, raised and taken away.
CALL holdfast.set_product_limits(6202, max_per_user => 1);
SELECT buy(6227, 1, 6202);
CALL holdfast.set_product_limits(6202, max_per_user => 5);
SELECT buy(6227, 3, 6202), buy(6227, 2, 6202);
CALL holdfast.set_product_limits(6202);
SELECT buy(6227, 9, 6202);

-- ---- Batches count within the batch, in its order, customer by customer.
CALL holdfast.set_product_limits(6202, max_per_user => 3);
CALL holdfast.place_orders('[
    {"userId": 6231, "lines": [{"productId": 6202, "quantity": 2}]},
    {"userId": 6232, "lines": [{"productId": 6202, "quantity": 3}]},
    {"userId": 6231, "lines": [{"productId": 6202, "quantity": 2}]},
    {"userId": 6231, "lines": [{"productId": 6202, "quantity": 1}], "idempotencyKey": "k"},
    {"userId": 6231, "lines": [{"productId": 6202, "quantity": 1}], "idempotencyKey": "k"},
    {"userId": 6232, "lines": [{"productId": 6202, "quantity": 1}, {"productId": 6201, "quantity": 1}]},
    {"userId": 6232, "lines": [{"productId": 6201, "quantity": 4}]},
    {"userId": 6232, "lines": [{"productId": 6201, "quantity": 3}]}]') \gset
SELECT e.n, e.r->>'status' AS status, e.r->'detail'->>'reason' AS reason, e.r->'detail'->'lines' AS lines, e.r->'detail'->'replayed' AS replayed
FROM jsonb_array_elements(:'results'::jsonb) WITH ORDINALITY AS e(r, n) ORDER BY 1;
SELECT * FROM counted WHERE user_id IN (6231, 6232);

-- ---- Asynchronous orders: a refusal is the outcome, and says which limit.
SELECT holdfast.submit_order(6231, '[{"productId":6202,"quantity":1},{"productId":6201,"quantity":9}]') AS trace \gset
SELECT holdfast.on_order_request('k', payload::jsonb, NULL) FROM holdfast.outbox WHERE aggregateid = :'trace';
SELECT holdfast.submit_order(6231, '[{"productId":6202,"quantity":1},{"productId":6201,"quantity":1}]') AS second \gset
SELECT holdfast.on_order_request('k', payload::jsonb, NULL) FROM holdfast.outbox WHERE aggregateid = :'second';
SELECT status, reason, message FROM holdfast.order_request WHERE trace_id IN (:'trace', :'second') ORDER BY trace_id;

-- ---- What is wrong.
SELECT raises(format('CALL holdfast.set_product_limits(%s)', a)) FROM unnest(ARRAY[
    'NULL', '6299, 1', '6201, 0', '6201, 1, -1', $$6201, 1, 1, '0 s'$$, $$6201, 1, NULL, '1 day'$$]) a;

-- ---- House: counts whose window has passed, and locks that nobody needs.
CALL holdfast.set_product_limits(6202, max_per_user => 3, limit_window => '1 day');
UPDATE holdfast.customer_take SET taken_at = taken_at - interval '3 days' WHERE user_id = 6231;
UPDATE holdfast.customer_limit SET locked_on = locked_on - 3 WHERE user_id = 6232;
SET ROLE holdfast_owner;
SELECT count(*) AS takes FROM holdfast.customer_take WHERE user_id = 6231 AND product_id = 6202 \gset
SELECT :takes AS takes, holdfast.forget_waiting(1) AS at_most_one_of_each, holdfast.forget_waiting(100) > 0 AS rest;
RESET ROLE;
SELECT * FROM counted WHERE user_id IN (6231, 6232);
SELECT user_id, count(*) FROM holdfast.customer_limit WHERE user_id IN (6231, 6232) AND product_id IN (6201, 6202) GROUP BY 1;
SELECT buy(6231, 3, 6202), buy(6232, 1, 6202);

SELECT * FROM holdfast.reconcile() WHERE product_id IN (6201, 6202) AND expected IS DISTINCT FROM actual;
CALL holdfast.set_product_limits(6201);
CALL holdfast.set_product_limits(6202);
DROP VIEW counted;
DROP FUNCTION raises, place, buy, last_order;

-- Many orders in one transaction, each on its own.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(4501, 'tea', 100, on_hand => 10);
CALL holdfast.set_product(4502, 'cup', 7, on_hand => 5);
CREATE FUNCTION outcome(results jsonb) RETURNS TABLE (n bigint, status text, "of" text) LANGUAGE sql AS $$
    SELECT e.n, e.r->>'status', coalesce(e.r->>'message', e.r->'detail'->>'reason', e.r->'detail'->>'finalTotalAmount')
    FROM jsonb_array_elements(results) WITH ORDINALITY AS e(r, n) ORDER BY 1 $$;
CREATE VIEW taken AS SELECT product_id, reserved, version FROM holdfast.stock WHERE product_id IN (4501, 4502) ORDER BY 1;

-- First come, first served; a line of a product that is short refuses its whole order.
CALL holdfast.place_orders('[
    {"userId": 4501, "lines": [{"productId": 4501, "quantity": 6}]},
    {"userId": 4502, "lines": [{"productId": 4501, "quantity": 5}]},
    {"userId": 4503, "lines": [{"productId": 4502, "quantity": 1}, {"productId": 4501, "quantity": 4}]},
    {"userId": 4504, "lines": [{"productId": 4502, "quantity": 1}, {"productId": 4501, "quantity": 1}]}]') \gset
SELECT * FROM outcome(:'results');
SELECT * FROM taken;
SELECT :'results'::jsonb->0->'detail'->>'durability' AS durability;

-- The events are those of four orders placed one after the other.
SELECT o.aggregatetype, o.payload->>'productId' AS product, o.payload->>'reserved' AS reserved, o.payload->>'version' AS version
FROM holdfast.outbox o
WHERE o.payload->>'orderId' IN (SELECT order_id::text FROM holdfast.orders WHERE user_id BETWEEN 4501 AND 4504)
ORDER BY o.aggregatetype, o.id;
SELECT o.user_id, o.status, o.final_total_amount, o.failure_reason, r.product_id, r.quantity, r.state
FROM holdfast.orders o LEFT JOIN holdfast.reservation r USING (order_id)
WHERE o.user_id BETWEEN 4501 AND 4504 ORDER BY 1, 5;

-- What is wrong in itself concerns nobody else.
CALL holdfast.restock(4501, 90, 'delivery');
CALL holdfast.place_orders('[
    {"userId": 4505, "lines": [{"productId": 4501, "quantity": 1}]},
    {"userId": 4505, "lines": []},
    {"userId": 4505, "lines": [{"productId": 4599, "quantity": 1}]},
    {"userId": 4505, "lines": [{"productId": 4501, "quantity": 0}]},
    {"userId": 4505},
    {"lines": [{"productId": 4501, "quantity": 1}]},
    {"userId": "x", "lines": [{"productId": 4501, "quantity": 1}]},
    {"userId": 4505, "lines": [{"productId": 4501, "quantity": 1}], "coupon": 3},
    17,
    {"userId": 4505, "lines": [{"productId": 4501, "quantity": 1}], "options": {"orderId": 1}},
    {"userId": 4505, "lines": [{"productId": 4501, "quantity": 1}], "options": {"holdSeconds": 60}},
    {"userId": 4505, "lines": [{"productId": 4501, "quantity": 1}], "idempotencyKey": ""}]') \gset
SELECT * FROM outcome(:'results');
SELECT count(*) FROM holdfast.orders WHERE user_id = 4505;

-- Keys: within a batch, across batches, and of place_order.
CALL holdfast.place_order_item(4506, 4501, 2, 'single') \gset
CALL holdfast.place_orders('[
    {"userId": 4506, "lines": [{"productId": 4501, "quantity": 2}], "idempotencyKey": "single"},
    {"userId": 4506, "lines": [{"productId": 4501, "quantity": 3}], "idempotencyKey": "batch"},
    {"userId": 4506, "lines": [{"productId": 4501, "quantity": 3}], "idempotencyKey": "batch"},
    {"userId": 4506, "lines": [{"productId": 4501, "quantity": 4}], "idempotencyKey": "batch"},
    {"userId": 4506, "lines": [{"productId": 4501, "quantity": 500}], "idempotencyKey": "refused"}]') \gset
SELECT * FROM outcome(:'results');
SELECT :'results'::jsonb->0->'orderId' = :'order_id' AS same_order, :'results'::jsonb->0->'detail'->'replayed' AS replayed,
       :'results'::jsonb->1->'orderId' = :'results'::jsonb->2->'orderId' AS same_in_batch;
CALL holdfast.place_orders('[{"userId": 4506, "lines": [{"productId": 4501, "quantity": 500}], "idempotencyKey": "refused"}]') \gset
SELECT * FROM outcome(:'results');
SELECT count(*), sum(final_total_amount) FROM holdfast.orders WHERE user_id = 4506;

-- Refusals that are not recorded.
SET holdfast.record_refusals = off;
CALL holdfast.place_orders('[{"userId": 4507, "lines": [{"productId": 4501, "quantity": 500}]}]') \gset
SELECT :'results'::jsonb->0 ? 'orderId' AS recorded, :'results'::jsonb->0->>'status' AS status;
RESET holdfast.record_refusals;

-- The caller's transaction decides.
SELECT reserved AS before FROM taken WHERE product_id = 4501 \gset
BEGIN;
CALL holdfast.place_orders('[{"userId": 4508, "lines": [{"productId": 4501, "quantity": 1}]}]') \gset
ROLLBACK;
SELECT reserved - :before AS left_over FROM taken WHERE product_id = 4501;

-- What is no batch.
CALL holdfast.place_orders(NULL);
CALL holdfast.place_orders('{}');
CALL holdfast.place_orders('[]');
SELECT jsonb_agg(jsonb_build_object('userId', 4509, 'lines', '[]'::jsonb)) AS many FROM generate_series(1, 1001) \gset
CALL holdfast.place_orders(:'many');

SELECT * FROM holdfast.reconcile() WHERE product_id IN (4501, 4502) AND expected IS DISTINCT FROM actual;
DROP VIEW taken;
DROP FUNCTION outcome;

-- Products and stock: each change leaves a ledger entry and an event; what makes no sense is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CALL holdfast.set_product(5001, 'lamp', 1500);
CALL holdfast.set_product(5002, 'chair', 25000, 'EUR', on_hand => 10, safety_stock => 2, reason => 'first count');
SELECT * FROM holdfast.availability(ARRAY[5001, 5002]);

CALL holdfast.restock(5001, 5, 'delivery 17');
CALL holdfast.restock(5001, 7);
CALL holdfast.adjust_stock(5001, -2, 'broken');
CALL holdfast.adjust_stock(5001, 1, 'found');
-- Unchanged: no ledger entry, no event.
CALL holdfast.set_product(5002, 'chair', 25000, 'EUR', on_hand => 10, safety_stock => 2);
-- The price alone is no change of stock; safety stock is one, but not of on_hand.
CALL holdfast.set_product(5001, 'lamp', 1600);
CALL holdfast.set_product(5002, 'chair', 25000, 'EUR', safety_stock => 3);

SELECT * FROM holdfast.availability(ARRAY[5001, 5002]);
SELECT product_id, name, unit_price, currency FROM holdfast.product WHERE product_id IN (5001, 5002) ORDER BY 1;
SELECT product_id, delta_on_hand, on_hand_after, cause, reason, actor = session_user AS by_me, at IS NOT NULL AS dated
FROM holdfast.stock_ledger WHERE product_id IN (5001, 5002) ORDER BY ledger_id;
SELECT aggregatetype, aggregateid, type, (payload::jsonb - '{eventId,occurredAt}'::text[]) AS payload, headers
FROM holdfast.outbox WHERE aggregateid IN ('5001', '5002') AND aggregatetype = 'inventory-updated' ORDER BY id;
SELECT payload->>'eventId' = id::text AS same_id,
       payload->>'occurredAt' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$' AS rfc3339
FROM holdfast.outbox WHERE aggregateid IN ('5001', '5002') AND aggregatetype = 'inventory-updated'
GROUP BY 1, 2;

-- What is reserved cannot be taken away.
CALL holdfast.place_order(1, '[{"productId":5001,"quantity":4}]') \gset
CALL holdfast.adjust_stock(5001, -8, 'lost');
\echo :SQLSTATE
CALL holdfast.set_product(5001, 'lamp', 1600, on_hand => 3);
\echo :SQLSTATE
CALL holdfast.adjust_stock(5001, -7, 'lost');
SELECT on_hand, reserved, available FROM holdfast.availability(ARRAY[5001]);
-- Safety stock may exceed what is free: then nothing can be sold.
CALL holdfast.set_product(5001, 'lamp', 1600, safety_stock => 1);
SELECT on_hand, reserved, available FROM holdfast.availability(ARRAY[5001]);
CALL holdfast.cancel_order(:order_id);

-- Refused.
CALL holdfast.set_product(NULL, 'x', 1);
\echo :SQLSTATE
CALL holdfast.set_product(5003, NULL, 1);
\echo :SQLSTATE
CALL holdfast.set_product(5003, 'x', -1);
\echo :SQLSTATE
CALL holdfast.set_product(5003, 'x', 1, 'euro');
\echo :SQLSTATE
CALL holdfast.set_product(5003, 'x', 1, on_hand => -1);
\echo :SQLSTATE
CALL holdfast.set_product(5003, 'x', 1, safety_stock => -1);
\echo :SQLSTATE
CALL holdfast.restock(5999, 1);
\echo :SQLSTATE
CALL holdfast.restock(5001, 0);
\echo :SQLSTATE
CALL holdfast.restock(5001, -1);
\echo :SQLSTATE
CALL holdfast.restock(5001, NULL);
\echo :SQLSTATE
CALL holdfast.restock(5001, 9223372036854775807);
\echo :SQLSTATE
CALL holdfast.adjust_stock(5999, 1, 'x');
\echo :SQLSTATE
CALL holdfast.adjust_stock(5001, 0, 'x');
\echo :SQLSTATE
CALL holdfast.adjust_stock(5001, 1, NULL);
\echo :SQLSTATE
CALL holdfast.adjust_stock(5001, 9223372036854775807, 'x');
\echo :SQLSTATE
CALL holdfast.adjust_stock(5001, -9223372036854775808, 'x');
\echo :SQLSTATE

SELECT count(*) FROM holdfast.availability(ARRAY[5003, 5999]);
SELECT * FROM holdfast.availability('{}');
SELECT count(*) >= 2 AS all_products FROM holdfast.availability();
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 5001 AND 5999;

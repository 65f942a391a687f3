-- Differences are found, listed, and repaired only where that is safe.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 7000000) AS base \gset
CALL holdfast.set_product(7001, 'a', 100, on_hand => 10);
CALL holdfast.set_product(7002, 'b', 100, on_hand => 10);
CALL holdfast.place_order(1, '[{"productId":7001,"quantity":3},{"productId":7002,"quantity":1}]') \gset
CALL holdfast.place_order(1, '[{"productId":7001,"quantity":2}]') \gset
CALL holdfast.complete_order(:order_id);
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 7001 AND 7002;

-- Somebody wrote the tables by hand.
UPDATE holdfast.stock SET reserved = 9 WHERE product_id = 7001;
UPDATE holdfast.stock SET on_hand = 12 WHERE product_id = 7002;
UPDATE holdfast.orders SET status = 'FAILED' WHERE order_id = 7000001;
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 7001 AND 7002;
SELECT * FROM holdfast.reconcile(repair => true) WHERE product_id BETWEEN 7001 AND 7002;
SELECT product_id, on_hand, reserved FROM holdfast.stock WHERE product_id BETWEEN 7001 AND 7002 ORDER BY 1;
SELECT product_id, cause, reason FROM holdfast.stock_ledger WHERE product_id = 7001 ORDER BY ledger_id;
SELECT payload->>'cause' AS cause, payload->>'reserved' AS reserved FROM holdfast.outbox WHERE aggregateid = '7001' ORDER BY id DESC LIMIT 1;
-- What was not safe is still there.
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 7001 AND 7002;
UPDATE holdfast.orders SET status = 'PENDING' WHERE order_id = 7000001;
UPDATE holdfast.stock SET on_hand = 10 WHERE product_id = 7002;
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 7001 AND 7002;

-- More is reserved than there is: nobody can repair that but a person.
BEGIN;
UPDATE holdfast.stock SET on_hand = 4, reserved = 4 WHERE product_id = 7001;
SELECT * FROM holdfast.reconcile(repair => true);
\echo :SQLSTATE
ROLLBACK;

-- rebuild_stock: the row is what the ledger and the reservations say.
SELECT * FROM holdfast.rebuild_stock(7001);
UPDATE holdfast.stock SET on_hand = 99, reserved = 9 WHERE product_id = 7001;
SELECT version AS before FROM holdfast.stock WHERE product_id = 7001 \gset
SELECT on_hand_before, on_hand, reserved_before, reserved, version - :before AS versions, changed FROM holdfast.rebuild_stock(7001);
SELECT delta_on_hand, on_hand_after, cause, reason, actor = session_user AS mine FROM holdfast.stock_ledger WHERE product_id = 7001 ORDER BY ledger_id DESC LIMIT 1;
SELECT type, payload::jsonb - '{eventId,occurredAt}'::text[] AS payload FROM holdfast.outbox WHERE aggregateid = '7001' ORDER BY id DESC LIMIT 1;
-- Nothing to do: nothing is done.
SELECT on_hand_before, on_hand, reserved_before, reserved, changed FROM holdfast.rebuild_stock(7001);
SELECT count(*) FROM holdfast.stock_ledger WHERE product_id = 7001;
SELECT count(*) FROM holdfast.outbox WHERE aggregateid = '7001' AND payload->>'cause' = 'REPAIR';
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 7001 AND 7002;
-- What was counted is booked afterwards, and stays when it is folded again.
UPDATE holdfast.stock SET on_hand = 12 WHERE product_id = 7002;
SELECT on_hand FROM holdfast.rebuild_stock(7002);
CALL holdfast.set_product(7002, 'b', 100, on_hand => 12, reason => 'counted');
SELECT on_hand, changed FROM holdfast.rebuild_stock(7002);
-- A row that is gone comes back with a version that consumers have not seen.
DELETE FROM holdfast.stock WHERE product_id = 7001;
SELECT "check", expected, actual FROM holdfast.reconcile() WHERE product_id = 7001;
SELECT on_hand_before, on_hand, reserved_before, reserved, version > :before + 1 AS newer, changed FROM holdfast.rebuild_stock(7001);
SELECT reason FROM holdfast.stock_ledger WHERE product_id = 7001 ORDER BY ledger_id DESC LIMIT 1;
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 7001 AND 7002;
-- More is reserved than the ledger has.
BEGIN;
UPDATE holdfast.stock_ledger SET delta_on_hand = 3 WHERE product_id = 7001 AND cause = 'SET';
SELECT * FROM holdfast.rebuild_stock(7001);
\echo :SQLSTATE
ROLLBACK;
SELECT * FROM holdfast.rebuild_stock(79999);
\echo :SQLSTATE
SELECT * FROM holdfast.rebuild_stock(NULL);
\echo :SQLSTATE
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;

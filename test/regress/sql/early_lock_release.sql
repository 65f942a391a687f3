-- Which way an order is made durable: "elr" (committed by the call, locks free before the flush) at
-- top level, "tx" (by the caller's transaction) everywhere else, where the caller's work stays the caller's.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;

INSERT INTO holdfast.product (product_id, name, unit_price) VALUES (1201, 'tea', 10), (1202, 'cup', 10);
INSERT INTO holdfast.stock (product_id, on_hand) VALUES (1201, 1000), (1202, 1000);
CREATE TABLE scratch (note text);
CREATE VIEW reserved AS SELECT reserved FROM holdfast.stock WHERE product_id = 1201;

-- At top level, each level of the session's own synchronous_commit stays what it was.
CALL holdfast.place_order_item(1, 1201, 1) \gset
SELECT :'status' AS status, :'detail'::jsonb->>'durability' AS durability;
CALL holdfast.place_order(1, '[{"productId":1201,"quantity":1},{"productId":1202,"quantity":1}]') \gset
SELECT :'status' AS status, :'detail'::jsonb->>'durability' AS durability;
SET synchronous_commit = off;
CALL holdfast.place_order_item(1, 1201, 1) \gset
SELECT :'detail'::jsonb->>'durability' AS durability, current_setting('synchronous_commit') AS level;
SET synchronous_commit = local;
CALL holdfast.place_order_item(1, 1201, 1) \gset
SELECT :'detail'::jsonb->>'durability' AS durability, current_setting('synchronous_commit') AS level;
SET synchronous_commit = remote_apply;
CALL holdfast.place_order_item(1, 1201, 1) \gset
SELECT :'detail'::jsonb->>'durability' AS durability, current_setting('synchronous_commit') AS level;
RESET synchronous_commit;
SELECT * FROM reserved;

-- An error ends only the call's own transaction.
CALL holdfast.place_order_item(1, 1201, 0);
SELECT * FROM reserved;
-- A refusal without a record writes nothing and commits nothing.
SET holdfast.record_refusals = off;
CALL holdfast.place_order_item(1, 1201, 5000) \gset
SELECT :'status' AS status, :'detail'::jsonb->>'durability' AS durability;
RESET holdfast.record_refusals;

-- In a transaction block the caller decides.
BEGIN;
INSERT INTO scratch VALUES ('block');
CALL holdfast.place_order_item(1, 1201, 100) \gset
SELECT :'detail'::jsonb->>'durability' AS durability;
SELECT * FROM reserved;
ROLLBACK;
SELECT * FROM reserved;
SELECT * FROM scratch;
BEGIN;
CALL holdfast.place_order_item(1, 1201, 100) \gset
SAVEPOINT a;
CALL holdfast.place_order_item(1, 1201, 100) \gset
SELECT :'detail'::jsonb->>'durability' AS durability;
ROLLBACK TO a;
COMMIT;
SELECT * FROM reserved;

-- Several statements in one message are one transaction.
\o /dev/null
CALL holdfast.place_order_item(1, 1201, 100)\; SELECT 1 / 0 AS fails;
\o
SELECT * FROM reserved;

-- Inside a DO block, a procedure and a function: their work is not committed under their hands.
DO $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    INSERT INTO scratch VALUES ('do');
    CALL holdfast.place_order_item(1, 1201, 100, NULL, NULL, order_id, status, detail);
    RAISE WARNING 'in DO: %', detail->>'durability';
    RAISE EXCEPTION 'undo';
END
$$;
SELECT * FROM scratch;
SELECT * FROM reserved;
CREATE PROCEDURE shop_order(fail boolean) LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    INSERT INTO scratch VALUES ('procedure');
    CALL holdfast.place_order(1, '[{"productId":1201,"quantity":100}]', NULL, NULL, order_id, status, detail);
    RAISE WARNING 'in a procedure: %', detail->>'durability';
    IF fail THEN
        RAISE EXCEPTION 'undo';
    END IF;
    -- The procedure itself may still commit, and go on.
    COMMIT;
    CALL holdfast.place_order_item(1, 1201, 1, NULL, NULL, order_id, status, detail);
    RAISE WARNING 'after its commit: %', detail->>'durability';
    ROLLBACK;
END
$$;
CALL shop_order(true);
SELECT * FROM scratch;
SELECT * FROM reserved;
CALL shop_order(false);
SELECT * FROM scratch;
SELECT * FROM reserved;
CREATE FUNCTION shop_order_function() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(1, 1201, 1, NULL, NULL, order_id, status, detail);
    RETURN detail->>'durability';
END
$$;
SELECT shop_order_function();
-- A procedure with a pinned setting could not commit at all.
CREATE PROCEDURE pinned() LANGUAGE plpgsql SET work_mem = '4MB' AS $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(1, 1201, 1, NULL, NULL, order_id, status, detail);
    RAISE WARNING 'pinned: %', detail->>'durability';
END
$$;
CALL pinned();

-- The result survives the commit, also when it is long and when it was computed.
SELECT jsonb_agg(jsonb_build_object('productId', 1201 + i % 2, 'quantity', 1))::text AS lines, repeat('k', 255) AS key
FROM generate_series(1, 100) i \gset
CALL holdfast.place_order(1, :'lines', :'key') \gset
SELECT :'status' AS status, :'detail'::jsonb->>'durability' AS durability;
CALL holdfast.place_order(1, jsonb_build_array(jsonb_build_object('productId', length(repeat('x', 1201)), 'quantity', 1)), 'another key') \gset
SELECT :'status' AS status, :'detail'::jsonb->>'durability' AS durability;

-- Thousands of calls in a session leave nothing behind.
DO $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    SET LOCAL holdfast.record_refusals = off;
    FOR i IN 1..2000 LOOP
        CALL holdfast.place_order_item(1, 1201, 5000, NULL, NULL, order_id, status, detail);
    END LOOP;
END
$$;
CREATE FUNCTION pg_temp.live_objects() RETURNS bigint LANGUAGE C AS '$libdir/holdfast', 'holdfast_probe_live_objects';
SELECT pg_temp.live_objects();
DROP TABLE scratch;
DROP VIEW reserved;
DROP PROCEDURE shop_order, pinned;
DROP FUNCTION shop_order_function;

-- The stock row is updated without an executor; what a user adds to its table holds all the same.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(2701, 'tea', 10, on_hand => 100);
UPDATE holdfast.stock SET safety_stock = 5 WHERE product_id = 2701;

-- A column of the user's keeps its value, an index on a counter finds the row.
ALTER TABLE holdfast.stock ADD COLUMN shelf text;
UPDATE holdfast.stock SET shelf = repeat('north ', 1000) || 'end' WHERE product_id = 2701;
CREATE INDEX stock_reserved ON holdfast.stock (reserved) WHERE product_id = 2701;
CALL holdfast.place_order_item(1, 2701, 3) \gset
CALL holdfast.place_order_item(1, 2701, 4) \gset
SELECT on_hand, reserved, version, right(shelf, 3) AS shelf, updated_at > now() - interval '1 min' AS recent
FROM holdfast.stock WHERE product_id = 2701;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM holdfast.stock WHERE reserved = 7 AND product_id = 2701;
SELECT count(*) FROM holdfast.stock WHERE reserved = 3 AND product_id = 2701;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX holdfast.stock_reserved;
ALTER TABLE holdfast.stock DROP COLUMN shelf;
CALL holdfast.place_order_item(1, 2701, 1) \gset
SELECT reserved FROM holdfast.stock WHERE product_id = 2701;

-- A check of the user's, and one that is gone again.
ALTER TABLE holdfast.stock ADD CONSTRAINT few CHECK (product_id <> 2701 OR reserved < 10);
CALL holdfast.place_order_item(1, 2701, 5);
ALTER TABLE holdfast.stock DROP CONSTRAINT few;
CALL holdfast.place_order_item(1, 2701, 5) \gset
SELECT reserved FROM holdfast.stock WHERE product_id = 2701;

-- A trigger of the user's sees the update, in the same session before and after.
CREATE TABLE seen (reserved bigint);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.seen VALUES (NEW.reserved); RETURN NEW; END $$;
CREATE TRIGGER see BEFORE UPDATE ON holdfast.stock FOR EACH ROW EXECUTE FUNCTION see();
GRANT INSERT ON seen TO PUBLIC;
CALL holdfast.place_order_item(1, 2701, 1) \gset
DROP TRIGGER see ON holdfast.stock;
CALL holdfast.place_order_item(1, 2701, 1) \gset
SELECT * FROM seen;

-- A foreign key on a counter is kept.
CREATE TABLE allowed (version bigint PRIMARY KEY);
UPDATE holdfast.stock SET version = 900000 WHERE product_id = 2701;
INSERT INTO allowed SELECT version FROM holdfast.stock UNION SELECT 900001;
ALTER TABLE holdfast.stock ADD CONSTRAINT known FOREIGN KEY (version) REFERENCES allowed;
CALL holdfast.place_order_item(1, 2701, 1) \gset
CALL holdfast.place_order_item(1, 2701, 1);
ALTER TABLE holdfast.stock DROP CONSTRAINT known;

-- A published table needs a replica identity for updates.
ALTER TABLE holdfast.stock REPLICA IDENTITY NOTHING;
CREATE PUBLICATION counters FOR TABLE holdfast.stock;
CALL holdfast.place_order_item(1, 2701, 1);
ALTER TABLE holdfast.stock REPLICA IDENTITY DEFAULT;
CALL holdfast.place_order_item(1, 2701, 1) \gset
DROP PUBLICATION counters;

-- Units below the safety stock are not sold.
SELECT available FROM holdfast.availability(ARRAY[2701]);
SELECT available AS rest FROM holdfast.availability(ARRAY[2701]) \gset
CALL holdfast.place_order_item(1, 2701, :rest) \gset
SELECT :'status' AS status;
CALL holdfast.place_order_item(1, 2701, 1) \gset
SELECT :'status' AS status;
SELECT * FROM holdfast.reconcile() WHERE expected IS DISTINCT FROM actual AND product_id = 2701;

DROP TABLE seen, allowed;
DROP FUNCTION see();

-- An index of another kind on a table that place_order writes: nothing is left open behind the call.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE INDEX by_time ON holdfast.orders USING brin (created_at);
CREATE INDEX outbox_by_time ON holdfast.outbox USING brin (created_at);
CALL holdfast.set_product(1901, 'tea', 100, on_hand => 10);
CALL holdfast.place_order_item(19, 1901, 1) \gset
CALL holdfast.place_order_item(19, 1901, 1) \gset
SELECT :'status' AS status, count(*) FROM holdfast.orders WHERE user_id = 19;
DROP INDEX holdfast.by_time, holdfast.outbox_by_time;

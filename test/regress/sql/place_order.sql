-- Placing orders: what is written, what is answered, refusals, idempotency, options.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';

INSERT INTO holdfast.product (product_id, name, unit_price, currency) VALUES
    (1001, 'tea', 10000, 'KRW'), (1002, 'cup', 25000, 'KRW'), (1003, 'pot', 5000, 'KRW');
INSERT INTO holdfast.stock (product_id, on_hand, safety_stock) VALUES (1001, 100, 0), (1002, 50, 5), (1003, 2, 0);

-- What must not depend on the time or on ids.
CREATE FUNCTION pg_temp.steady(detail jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN detail ? 'expiresAt' THEN detail || '{"expiresAt": "..."}' ELSE detail END
$$;
CREATE TEMP TABLE call (n serial, order_id bigint, status text, detail jsonb);
CREATE PROCEDURE pg_temp.item(user_id bigint, product_id bigint, quantity int, key text DEFAULT NULL, options jsonb DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(user_id, product_id, quantity, key, options, order_id, status, detail);
    INSERT INTO call (order_id, status, detail) VALUES (order_id, status, detail);
END
$$;
CREATE PROCEDURE pg_temp.place(user_id bigint, lines jsonb, key text DEFAULT NULL, options jsonb DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order(user_id, lines, key, options, order_id, status, detail);
    INSERT INTO call (order_id, status, detail) VALUES (order_id, status, detail);
END
$$;
-- What the last call wrote, in terms of its order.
CREATE VIEW pg_temp.last_order AS
    SELECT o.user_id, o.status, o.currency, o.original_total_amount AS original, o.discount_amount AS discount,
           o.final_total_amount AS final, o.failure_step, o.failure_reason, o.failure_message, o.trace_id, o.idempotency_key AS key,
           o.expires_at - o.created_at AS hold
    FROM holdfast.orders o WHERE o.order_id = (SELECT order_id FROM call ORDER BY n DESC LIMIT 1);
CREATE VIEW pg_temp.last_lines AS
    SELECT l.line_no, l.product_id, l.quantity, l.unit_price, r.quantity AS reserved, r.state
    FROM holdfast.order_line l LEFT JOIN holdfast.reservation r USING (order_id, product_id)
    WHERE l.order_id = (SELECT order_id FROM call ORDER BY n DESC LIMIT 1) ORDER BY 1;
CREATE VIEW pg_temp.last_events AS
    SELECT aggregatetype AS topic, type, headers,
           aggregateid = payload->>'orderId' AS keyed_by_order, id::text = payload->>'eventId' AS same_id,
           (payload->>'occurredAt')::timestamptz = created_at AS same_time,
           replace(regexp_replace(payload::text, '"(eventId|occurredAt|expiresAt)":"[^"]*"', '"\1":"..."', 'g'),
                   '"orderId":' || (payload->>'orderId'), '"orderId":N') AS payload
    FROM holdfast.outbox
    WHERE payload->>'orderId' = (SELECT order_id::text FROM call ORDER BY n DESC LIMIT 1) ORDER BY id;
CREATE VIEW pg_temp.stock AS
    SELECT product_id, on_hand, reserved, version FROM holdfast.stock WHERE product_id BETWEEN 1001 AND 1003 ORDER BY 1;

-- One item.
CALL pg_temp.item(7, 1001, 3);
SELECT status, pg_temp.steady(detail) FROM call ORDER BY n DESC LIMIT 1;
SELECT * FROM pg_temp.last_order;
SELECT * FROM pg_temp.last_lines;
SELECT * FROM pg_temp.last_events;
SELECT * FROM pg_temp.stock;

-- Many lines: summed per product, ascending, price frozen.
CALL pg_temp.place(8, '[{"productId":1003,"quantity":1},{"quantity":2,"productId":1001},{"productId":1003,"quantity":1}]');
UPDATE holdfast.product SET unit_price = 6000 WHERE product_id = 1003;
SELECT status, pg_temp.steady(detail) FROM call ORDER BY n DESC LIMIT 1;
SELECT * FROM pg_temp.last_lines;
SELECT * FROM pg_temp.last_events;
SELECT * FROM pg_temp.stock;

-- Out of stock is an answer; it is recorded and announced, and takes nothing.
CALL pg_temp.place(9, '[{"productId":1001,"quantity":1},{"productId":1002,"quantity":46},{"productId":1003,"quantity":1}]');
SELECT status, detail FROM call ORDER BY n DESC LIMIT 1;
SELECT * FROM pg_temp.last_order;
SELECT * FROM pg_temp.last_lines;
SELECT * FROM pg_temp.last_events;
SELECT * FROM pg_temp.stock;

-- Safety stock is not sold; all that is above it is.
CALL pg_temp.item(9, 1002, 45);
SELECT status, detail->>'finalTotalAmount' AS amount FROM call ORDER BY n DESC LIMIT 1;
CALL pg_temp.item(9, 1002, 1);
SELECT status, detail FROM call ORDER BY n DESC LIMIT 1;

-- Without a record: no id, no order, no event.
SELECT count(*) AS orders FROM holdfast.orders \gset before_
SELECT count(*) AS events FROM holdfast.outbox \gset before_
SET holdfast.record_refusals = off;
CALL pg_temp.item(9, 1002, 1);
RESET holdfast.record_refusals;
SELECT order_id, status, detail FROM call ORDER BY n DESC LIMIT 1;
SELECT count(*) - :before_orders AS new_orders FROM holdfast.orders;
SELECT count(*) - :before_events AS new_events FROM holdfast.outbox;

-- The catalogue may do without our news of the stock.
SET holdfast.inventory_events = off;
CALL pg_temp.item(9, 1001, 1);
RESET holdfast.inventory_events;
SELECT topic FROM pg_temp.last_events;

-- Trace context of the session, and of one call.
SET holdfast.trace_id = 'session-trace';
SET holdfast.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
CALL pg_temp.item(9, 1001, 1);
SELECT trace_id FROM pg_temp.last_order;
SELECT topic, headers, substring(payload from '"traceId":"([^"]*)"') AS trace_id FROM pg_temp.last_events;
CALL pg_temp.item(9, 1001, 1, NULL, '{"traceId": "call-trace", "holdSeconds": 60}');
SELECT trace_id, hold FROM pg_temp.last_order;
SELECT topic, substring(payload from '"traceId":"([^"]*)"') AS trace_id FROM pg_temp.last_events;
RESET holdfast.trace_id;
RESET holdfast.traceparent;
SET holdfast.hold_ttl = '2min';
CALL pg_temp.item(9, 1001, 1);
SELECT hold FROM pg_temp.last_order;
RESET holdfast.hold_ttl;
SET holdfast.trace_id = 'two words';
SET holdfast.traceparent = '00-xyz';

-- An idempotency key: the first answer again, for an equal request of the same user.
CALL pg_temp.place(10, '[{"productId":1001,"quantity":1},{"productId":1001,"quantity":1}]', 'key-1');
CALL pg_temp.place(10, '[{"productId":1001,"quantity":2}]', 'key-1', '{"traceId":"retry"}');
CALL pg_temp.item(10, 1001, 2, 'key-1');
SELECT count(DISTINCT order_id) AS orders, array_agg(detail->'replayed' ORDER BY n) AS replayed, count(DISTINCT detail - 'replayed') AS answers
FROM call WHERE n > (SELECT max(n) - 3 FROM call);
CALL pg_temp.item(10, 1001, 3, 'key-1');
CALL pg_temp.item(10, 1001, 2, 'key-1', '{"holdSeconds":60}');
CALL pg_temp.item(11, 1001, 2, 'key-1');
SELECT status, detail ? 'replayed' AS replayed FROM call ORDER BY n DESC LIMIT 1;
-- A refusal is an answer as well, and stays one after the stock is back.
CALL pg_temp.item(10, 1002, 1, 'key-2');
UPDATE holdfast.stock SET on_hand = on_hand + 10 WHERE product_id = 1002;
CALL pg_temp.item(10, 1002, 1, 'key-2');
SELECT count(DISTINCT order_id) AS orders, array_agg(status ORDER BY n) AS status, array_agg(detail->'replayed' ORDER BY n) AS replayed
FROM call WHERE n > (SELECT max(n) - 2 FROM call);
SET holdfast.record_refusals = off;
CALL pg_temp.item(10, 1003, 1, 'key-3');
UPDATE holdfast.stock SET on_hand = on_hand + 10 WHERE product_id = 1003;
CALL pg_temp.item(10, 1003, 1, 'key-3');
RESET holdfast.record_refusals;
SELECT order_id, status, detail FROM call WHERE n > (SELECT max(n) - 2 FROM call) ORDER BY n;

-- An order id that the caller took before.
SELECT holdfast.next_order_id() AS id \gset
CALL pg_temp.item(12, 1001, 1, NULL, jsonb_build_object('orderId', :id));
SELECT order_id = :id AS own_id, status FROM call ORDER BY n DESC LIMIT 1;
SELECT count(*) AS lines FROM pg_temp.last_lines;
-- A compensation that overtook its order.
SELECT holdfast.next_order_id() AS id \gset
INSERT INTO holdfast.order_tombstone (order_id, step, reason, message) VALUES (:id, 'PAYMENT', 'DECLINED', 'no money');
CALL pg_temp.item(12, 1001, 1, NULL, jsonb_build_object('orderId', :id));
SELECT order_id = :id AS own_id, status, detail FROM call ORDER BY n DESC LIMIT 1;
SELECT status, failure_step, failure_reason, failure_message FROM pg_temp.last_order;
SELECT topic, type, payload FROM pg_temp.last_events;

-- A table that is not plain any more is written all the same: a trigger fires, a new column gets its default.
CREATE TABLE pg_temp.seen (what text, order_id bigint);
GRANT INSERT ON pg_temp.seen TO holdfast_owner;
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen VALUES (TG_TABLE_NAME, NEW.order_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER note BEFORE INSERT ON holdfast.orders FOR EACH ROW EXECUTE FUNCTION pg_temp.note();
ALTER TABLE holdfast.order_line ADD COLUMN gift boolean NOT NULL DEFAULT true;
CALL pg_temp.item(13, 1001, 1);
SELECT count(*) AS fired FROM pg_temp.seen WHERE order_id = (SELECT order_id FROM call ORDER BY n DESC LIMIT 1);
SELECT gift FROM holdfast.order_line WHERE order_id = (SELECT order_id FROM call ORDER BY n DESC LIMIT 1);
DROP TRIGGER note ON holdfast.orders;
ALTER TABLE holdfast.order_line DROP COLUMN gift;
CALL pg_temp.item(13, 1001, 1);
SELECT * FROM pg_temp.last_lines;
-- Partitions that are made while the session goes on take the rows that belong to them.
SELECT last_value AS last_id FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 20000000) AS id;
CALL pg_temp.item(13, 1001, 1);
CREATE TABLE holdfast.orders_px PARTITION OF holdfast.orders FOR VALUES FROM (20000100) TO (20000200);
CREATE TABLE holdfast.order_line_px PARTITION OF holdfast.order_line FOR VALUES FROM (20000100) TO (20000200);
CREATE TABLE holdfast.reservation_px PARTITION OF holdfast.reservation FOR VALUES FROM (20000100) TO (20000200);
SELECT setval('holdfast.order_id_seq', 20000150) AS id;
CALL pg_temp.item(13, 1001, 1);
SELECT setval('holdfast.order_id_seq', 20000199) AS id;
CALL pg_temp.item(13, 1001, 1);
SELECT o.order_id, o.tableoid::regclass AS "order", l.tableoid::regclass AS line, r.tableoid::regclass AS reservation
FROM holdfast.orders o JOIN holdfast.order_line l USING (order_id) JOIN holdfast.reservation r USING (order_id)
WHERE o.order_id > 20000000 ORDER BY 1;
SELECT count(*) AS by_key FROM generate_series(20000001, 20000300) AS id, holdfast.orders o WHERE o.order_id = id;
DELETE FROM holdfast.reservation WHERE order_id >= 20000000;
UPDATE holdfast.stock SET reserved = reserved - 3 WHERE product_id = 1001;
DROP TABLE holdfast.orders_px, holdfast.order_line_px, holdfast.reservation_px;
DELETE FROM holdfast.orders WHERE order_id >= 20000000;
DELETE FROM holdfast.order_line WHERE order_id >= 20000000;
SELECT setval('holdfast.order_id_seq', :last_id) = :last_id AS id_restored;
CALL pg_temp.item(13, 1001, 1);
SELECT * FROM pg_temp.last_lines;

-- Reserved is what the reservations say.
SELECT s.product_id, s.reserved = coalesce(sum(r.quantity) FILTER (WHERE r.state IN ('HELD', 'SOLD')), 0) AS agrees
FROM holdfast.stock s LEFT JOIN holdfast.reservation r USING (product_id)
WHERE s.product_id BETWEEN 1001 AND 1003 GROUP BY s.product_id ORDER BY 1;

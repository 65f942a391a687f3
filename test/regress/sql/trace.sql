-- The timeline of an order, from every source.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 6000000) AS base \gset
CALL holdfast.set_product(6001, 'a', 1000, on_hand => 100);
SELECT next_offset FROM holdfast.inbox_claim('trace', 'payment-completed', 3, 40, 'here');
CREATE FUNCTION pg_temp.apply(handler regprocedure, first bigint, key text, value text) RETURNS text LANGUAGE sql AS $$
    SELECT outcome FROM holdfast.inbox_apply('trace', handler, 'payment-completed', 3, 1, first, first + 1, ARRAY[first],
                                             ARRAY[key], ARRAY[value], NULL, ARRAY[jsonb_build_object('id', 't' || first)])
$$;
CREATE FUNCTION pg_temp.shown(order_id bigint) RETURNS TABLE (source text, what text, topic text, "partition" int, kafka_offset bigint, detail jsonb)
LANGUAGE sql AS $$
    SELECT source, what, topic, "partition", kafka_offset, CASE source WHEN 'dead letter' THEN detail - 'id' WHEN 'outbox' THEN NULL ELSE detail END
    FROM holdfast.trace(order_id)
$$;

SET holdfast.trace_id = 'trace-6';
CALL holdfast.place_order_item(7, 6001, 3) \gset
RESET holdfast.trace_id;
SELECT pg_temp.apply('holdfast.on_payment_completed(text,jsonb,jsonb)', 40, '6000001', '{"orderId":6000001,"paymentId":"t1","amount":1}');
SELECT * FROM pg_temp.shown(6000001);
SELECT outcome FROM holdfast.discard((SELECT max(id) FROM holdfast.dead_letter_entry), 'wrong amount, refunded by hand');
SELECT pg_temp.apply('holdfast.on_payment_completed(text,jsonb,jsonb)', 41, '6000001', '{"orderId":6000001,"paymentId":"t1","amount":3000}');
-- Where Kafka has them, when the relay says so; the first word counts.
SELECT holdfast.record_positions(array_agg(id ORDER BY id), array_agg(aggregatetype ORDER BY id), array_agg(2 ORDER BY id), array_agg(500 ORDER BY id))
FROM holdfast.outbox WHERE aggregateid = '6000001' AND aggregatetype = 'order-created';
SELECT holdfast.record_positions(array_agg(id ORDER BY id), array_agg(aggregatetype ORDER BY id), array_agg(2 ORDER BY id), array_agg(900 ORDER BY id))
FROM holdfast.outbox WHERE aggregateid = '6000001' AND aggregatetype = 'order-created';
SELECT * FROM pg_temp.shown(6000001);
SELECT bool_and(at >= before) AS in_time
FROM (SELECT at, lag(at, 1, at) OVER (ORDER BY n) AS before FROM holdfast.trace(6000001) WITH ORDINALITY AS t(at, a, b, c, d, e, f, n)) t;

-- A refusal, and an order that was compensated before it existed.
CALL holdfast.place_order_item(7, 6001, 1000) \gset
SELECT * FROM pg_temp.shown(6000002);
SELECT holdfast.next_order_id();
SELECT holdfast.on_order_failed('6000003', '{"orderId":6000003,"failedStep":"FRAUD","reason":"LISTED","eventId":"f"}', NULL);
SELECT * FROM pg_temp.shown(6000003);
SELECT * FROM pg_temp.shown(6000009);
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;

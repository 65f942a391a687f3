-- The inbox: once per event, in order per key, poison apart, nothing lost.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- A handler that keeps what it is told, and fails on demand.
CREATE SCHEMA inbox_test;
CREATE TABLE inbox_test.applied (n serial, key text, value jsonb, header text);
CREATE TABLE inbox_test.checked (id int PRIMARY KEY, other int REFERENCES inbox_test.checked DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION inbox_test.note(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF value ? 'raise' THEN
        RAISE EXCEPTION 'told to fail' USING ERRCODE = value->>'raise';
    END IF;
    IF value ? 'dangling' THEN
        INSERT INTO inbox_test.checked VALUES ((value->>'dangling')::int, 999);
    END IF;
    INSERT INTO inbox_test.applied (key, value, header) VALUES (key, value, headers->>'h');
END
$$;
CREATE PROCEDURE inbox_test.note_proc(key text, value jsonb, headers jsonb) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM inbox_test.note(key, value, headers);
END
$$;
CREATE FUNCTION inbox_test.many(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM inbox_test.note(key, value, '{"h": "one"}');
END
$$;
CREATE FUNCTION inbox_test.many_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM inbox_test.note(k, v, '{"h": "batch"}') FROM unnest(keys, "values") AS t(k, v);
END
$$;
CREATE FUNCTION inbox_test.other_arguments(key text, value text, headers jsonb) RETURNS void LANGUAGE sql AS '';

-- apply(handler, first, value...): messages k<n> unless the value says which key; ids e<n> unless it says.
CREATE FUNCTION pg_temp.apply(consumer text, handler text, first bigint, VARIADIC vals text[])
RETURNS TABLE (kafka_offset bigint, outcome text, sqlstate text, message text) LANGUAGE sql AS $$
    SELECT a.*
    FROM (SELECT max(i.owner_epoch) AS epoch FROM holdfast.inbox_offset i WHERE i.consumer = apply.consumer) e,
         (SELECT array_agg(first + n - 1 ORDER BY n) AS offsets,
                 array_agg(coalesce(substring(v FROM '"key":"(\w+)"'), 'k' || (first + n - 1)) ORDER BY n) AS keys,
                 array_agg(jsonb_build_object('id', coalesce(substring(v FROM '"id":"(\w+)"'), 'e' || (first + n - 1))) ORDER BY n) AS headers
          FROM unnest(vals) WITH ORDINALITY AS u(v, n)) m,
         holdfast.inbox_apply(consumer, (handler || '(text,jsonb,jsonb)')::regprocedure, 'in', 0, e.epoch, first,
                              first + cardinality(vals), m.offsets, m.keys, vals, NULL, m.headers) a
$$;
CREATE VIEW pg_temp.letters AS
    SELECT d.status, d.topic || '/' || d."partition" || '/' || d.kafka_offset AS at, d.key, d.event_id, d.value, d.encoding,
           d.sqlstate, d.message, d.attempts, d.note
    FROM holdfast.dead_letter_entry d WHERE d.consumer = 'c' ORDER BY d.id;

-- Claim: from where it was told, once; then from where it is.
SELECT * FROM holdfast.inbox_claim('c', 'in', 0, 100, 'host-a');
SELECT * FROM holdfast.inbox_claim('c', 'in', 0, 0, 'host-b');
SELECT owner FROM holdfast.inbox_offset WHERE consumer = 'c';
SELECT * FROM holdfast.inbox_claim('c', 'in', 0, NULL, 'x');

-- A batch.
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 100, '{"a":1}', '{"a":2}', '{"a":3}');
SELECT next_offset FROM holdfast.inbox_offset WHERE consumer = 'c';
-- Delivered again: by offset it is fenced, by event id it is known.
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 100, '{"a":1}');
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 103, '{"a":2,"id":"e101"}', '{"a":4}', '{"a":4,"id":"e104"}');
-- Another consumer has a memory of its own.
SELECT next_offset FROM holdfast.inbox_claim('d', 'in', 0, 103, 'host-a');
SELECT * FROM pg_temp.apply('d', 'inbox_test.note_proc', 103, '{"a":2,"id":"e101"}', 'null');
SELECT key, value FROM inbox_test.applied ORDER BY n;
-- Offsets that are missing in Kafka (transaction markers) are passed over; so is nothing at all.
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 2, 106, 120, '{110,119}', '{a,b}', '{1,2}', NULL, ARRAY[NULL, '{}']::jsonb[]);
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 2, 120, 125, '{}', '{}', '{}', NULL, '{}');
SELECT next_offset FROM holdfast.inbox_offset WHERE consumer = 'c';
-- Without a header the id is the eventId, else the place.
SELECT event_id, topic, "partition", kafka_offset, key, outcome FROM holdfast.inbox_seen WHERE consumer = 'c' AND kafka_offset BETWEEN 110 AND 119 ORDER BY kafka_offset;
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 2, 125, 128, '{125,126,127}', '{a,b,NULL}',
                                   ARRAY['{"eventId": "own-id", "deep": {"eventId": "not-this"}}', '{"deep": {"eventId": "nor-this"}}', NULL], NULL, ARRAY['{}', NULL, NULL]::jsonb[]);
SELECT event_id FROM holdfast.inbox_seen WHERE consumer = 'c' AND kafka_offset >= 125 ORDER BY kafka_offset;
-- A null value (a tombstone of a compacted topic) is the handler's to understand.
SELECT key, value FROM inbox_test.applied WHERE value IS NULL;

-- Fenced: a newer owner, an unclaimed partition, a batch that does not start where we are.
SELECT owner_epoch FROM holdfast.inbox_claim('c', 'in', 0, 0, 'host-c');
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 2, 128, 129, '{128}', '{a}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 127, '{}');
\echo :SQLSTATE
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 1, 3, 0, 1, '{0}', '{a}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE

-- Poison: the others of the batch are applied, later ones of its key wait behind it.
TRUNCATE inbox_test.applied;
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 128,
    '{"a":1}', '{"raise":"22012","key":"bad"}', '{"a":2,"key":"bad"}', '{"a":3}', 'no json', '{"raise":"HF007"}');
SELECT key, value FROM inbox_test.applied ORDER BY n;
SELECT * FROM pg_temp.letters;
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 134, '{"a":4,"key":"bad"}', '{"a":5}', '{"a":2,"id":"e130","key":"bad"}');
SELECT key, since IS NOT NULL AS dated FROM holdfast.inbox_block WHERE consumer = 'c' ORDER BY key;
SELECT event_id, outcome FROM holdfast.inbox_seen WHERE consumer = 'c' AND kafka_offset BETWEEN 128 AND 140 ORDER BY kafka_offset;
-- Told to the world, under the original key, through the outbox.
SELECT aggregatetype, aggregateid, type, payload::jsonb - '{eventId,occurredAt,deadLetterId}'::text[] AS payload
FROM holdfast.outbox WHERE aggregatetype = 'in-dlq' ORDER BY id;
SELECT status, key, sqlstate, attempts, parked_behind FROM holdfast.dead_letter WHERE consumer = 'c' ORDER BY id;

-- Transient errors are nobody's poison: the whole batch is to be retried, and nothing of it happened.
TRUNCATE inbox_test.applied;
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 137, '{"a":1}', '{"raise":"40001"}');
\echo :SQLSTATE
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 137, '{"raise":"22012"}', '{"raise":"55P03"}');
\echo :SQLSTATE
SELECT count(*) FROM inbox_test.applied;
SELECT next_offset FROM holdfast.inbox_offset WHERE consumer = 'c';
SELECT s, holdfast.is_transient(s) FROM unnest('{08006,40P01,53300,55P03,57P01,58030,22012,23505,42501,HF007,P0001,XX000}'::text[]) s;

-- A constraint that is checked late is checked in time.
SELECT * FROM pg_temp.apply('c', 'inbox_test.note', 137, '{"dangling":1}', '{"a":6}');
-- Bytes that are no text never reach the handler.
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 3, 139, 142, '{139,140,141}', '{x,b,x}',
                                   ARRAY['/w==', '{"a":7}', '{"a":8}'], '{base64,utf8,NULL}', '{NULL,NULL,NULL}');
SELECT status, at, value, encoding, sqlstate FROM pg_temp.letters WHERE encoding = 'base64' OR sqlstate = '23503' ORDER BY at;
-- Without a key nothing waits.
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 3, 142, 144, '{142,143}', '{NULL,NULL}',
                                   ARRAY['{"raise":"22012"}', '{"a":9}'], NULL, '{NULL,NULL}');

-- Hostile messages: keys and ids longer than an index takes, nesting deeper than a stack.
SELECT string_agg(md5(n::text), '') AS long FROM generate_series(1, 1000) n \gset
SELECT outcome, sqlstate FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 3, 144, 148, '{144,145,146,147}',
    ARRAY[:'long', :'long', 'k', 'l'],
    ARRAY['{"raise":"22012"}', '{"a":10}', repeat('[', 1000000), json_build_object('eventId', :'long')::text],
    NULL, '{NULL,NULL,NULL,NULL}');
SELECT kafka_offset, length(event_id), length(key), outcome FROM holdfast.inbox_seen WHERE consumer = 'c' AND kafka_offset BETWEEN 144 AND 147 ORDER BY 1;
SELECT status, length(key) FROM holdfast.dead_letter_entry WHERE consumer = 'c' AND kafka_offset BETWEEN 144 AND 147 ORDER BY id;
SELECT outcome FROM holdfast.discard((SELECT id FROM holdfast.dead_letter_entry WHERE consumer = 'c' AND kafka_offset = 144), 'long key');
SELECT count(*) FROM holdfast.inbox_block WHERE consumer = 'c' AND length(key) > 190;

-- The batch form is used when there is one, and left for one call per message when it fails.
TRUNCATE inbox_test.applied;
SELECT outcome FROM pg_temp.apply('c', 'inbox_test.many', 148, '{"a":1}', '{"a":2}');
SELECT outcome FROM pg_temp.apply('c', 'inbox_test.many', 150, '{"a":3}', '{"raise":"22012"}');
SELECT value, header FROM inbox_test.applied ORDER BY n;

-- What is not a batch.
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.other_arguments(text,text,jsonb)', 'in', 0, 3, 152, 153, '{152}', '{a}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 3, 152, 153, '{152}', '{a,b}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 3, 152, 153, '{153}', '{a}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE
SELECT * FROM holdfast.inbox_apply('c', 'inbox_test.note(text,jsonb,jsonb)', 'in', 0, 3, 152, 155, '{153,152}', '{a,b}', '{1,2}', NULL, '{NULL,NULL}');
\echo :SQLSTATE
SELECT * FROM holdfast.inbox_apply('c', NULL, 'in', 0, 3, 152, 153, '{152}', '{a}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE

-- The extension's own handlers, through the same door.
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 4000000) AS base \gset
CALL holdfast.set_product(4001, 'a', 1000, on_hand => 100);
CALL holdfast.place_order_item(7, 4001, 2) \gset
CALL holdfast.place_order_item(7, 4001, 2) \gset
CALL holdfast.place_order_item(7, 4001, 2) \gset
SELECT outcome, sqlstate, message FROM pg_temp.apply('c', 'holdfast.on_order_failed', 152, '{"orderId":4000001}', '{"orderId":4000002}', '{"orderId":4000001}');
SELECT outcome, sqlstate, message FROM pg_temp.apply('c', 'holdfast.on_payment_completed', 155,
    '{"orderId":4000003,"paymentId":"i3","amount":2000}', '{"orderId":4000009,"paymentId":"i9","amount":2000}', '{"orderId":4000001,"paymentId":"i1","amount":2000}');
SELECT outcome, sqlstate, message FROM pg_temp.apply('c', 'holdfast.on_order_failed', 158, '{"orderId":4000002}', '{"order":1}');
SELECT order_id, status FROM holdfast.orders WHERE order_id BETWEEN 4000001 AND 4000009 ORDER BY 1;
SELECT on_hand, reserved FROM holdfast.stock WHERE product_id = 4001;
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;
DROP SCHEMA inbox_test CASCADE;

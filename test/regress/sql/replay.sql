-- Replay: what the outbox has, again: under its own id, or as new.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT holdfast.create_publication();
SELECT holdfast.emit('replay-test', 'k1', 'T1', '{"n": 1}') AS id1 \gset
SELECT holdfast.emit('replay-test', 'k2', 'T2', '{"n": 2}', '{"tenant": "x", "traceparent": "own"}') AS id2 \gset
SELECT holdfast.emit('replay-other', 'k1', 'T3', '{"n": 3}') AS id3 \gset
-- A payload is the bytes that were written, white space and all.
SELECT holdfast.uuid_v7() AS id4 \gset
INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload)
VALUES (:'id4', 'replay-test', 'k4', 'T4', format('{ "eventId" : "%1$s",  "z": 1.50, "a": "\u00e9 \"q\"", "causationId": "%1$s" }', :'id4')::json);

-- What a relay reads besides rows: logical messages with the prefix outbox.  (Their text begins at byte 22.)
SELECT slot_name FROM pg_create_logical_replication_slot('regress_holdfast_r', 'pgoutput');
CREATE FUNCTION pg_temp.sent() RETURNS TABLE (content json) LANGUAGE sql AS $$
    SELECT convert_from(substr(data, 22), 'UTF8')::json
    FROM pg_logical_slot_get_binary_changes('regress_holdfast_r', NULL, NULL,
        'proto_version', '1', 'publication_names', 'holdfast', 'messages', 'true')
    WHERE get_byte(data, 0) = ascii('M') AND substr(data, 11, 6) = 'outbox'
$$;

-- By topic: in order, ids and payloads as they were, marked by a header.
SELECT event_id = published_as AS same_id, aggregatetype, aggregateid, type FROM holdfast.replay(topic => 'replay-test');
SELECT m.content->>'aggregatetype' AS topic, m.content->>'aggregateid' AS key, m.content->>'type' AS type,
       (m.content->>'id')::uuid = o.id AS same_id, (m.content->'payload')::text = o.payload::text AS same_bytes, m.content->'headers' AS headers
FROM pg_temp.sent() m LEFT JOIN holdfast.outbox o ON o.id = (m.content->>'id')::uuid;
SELECT count(*) FROM holdfast.outbox WHERE aggregatetype LIKE 'replay-%';
-- By key, by id, by time, and all of them.
SELECT type FROM holdfast.replay(key => 'k1', first_id => :'id1');
SELECT type FROM holdfast.replay(first_id => :'id2', last_id => :'id3');
SELECT type FROM holdfast.replay(first_id => :'id4', last_id => :'id4');
SELECT type FROM holdfast.replay('replay-test', since => holdfast.uuid_v7_time(:'id1'), until => now() + interval '1 hour');
SELECT count(*) FROM holdfast.replay('replay-test', since => now() + interval '1 hour');
SELECT count(*) FROM holdfast.replay('replay-test', until => holdfast.uuid_v7_time(:'id1') - interval '1 s');
SELECT type FROM holdfast.replay('replay-test', since => '-infinity', until => 'infinity');
SELECT count(*) FROM holdfast.replay('replay-test', until => '-infinity');
SELECT count(*) FROM holdfast.replay('no such topic');
SELECT count(*) FROM pg_temp.sent();
-- With the transaction.
BEGIN;
SELECT count(*) FROM holdfast.replay('replay-test');
ROLLBACK;
SELECT count(*) FROM pg_temp.sent();

-- As new: rows with ids of their own, which say what they repeat.
SELECT event_id <> published_as AS new_id, aggregatetype, aggregateid, type FROM holdfast.replay('replay-test', as_new => true);
SELECT count(*) FROM pg_temp.sent();
SELECT n.aggregatetype, n.aggregateid, n.type, n.headers::jsonb - 'originalId' AS headers, n.id > o.id AS later,
       n.payload->>'eventId' = n.id::text AS own_event_id,
       replace(n.payload::text, '"' || n.id || '"', '?') = overlay(o.payload::text PLACING '?' FROM position('"' || o.id || '"' IN o.payload::text) FOR 38) AS same_else
FROM holdfast.outbox n JOIN holdfast.outbox o ON o.id = (n.headers->>'originalId')::uuid
WHERE n.aggregatetype = 'replay-test' ORDER BY n.id;
-- A copy can be published again; made anew is only the original.
SELECT count(*) FROM holdfast.replay('replay-test');
SELECT count(*) FROM holdfast.replay('replay-test', as_new => true);

-- The inbox: what it has seen it skips, what is new it applies.
CREATE FUNCTION public.regress_replay(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE sql AS '';
SELECT next_offset FROM holdfast.inbox_claim('replay', 'replay-test', 0, 0, 'here');
CREATE FUNCTION pg_temp.consume(first bigint, ids text[]) RETURNS TABLE (outcome text) LANGUAGE sql AS $$
    SELECT a.outcome
    FROM (SELECT array_agg(first + n - 1 ORDER BY n) AS offsets, array_agg('k'::text) AS keys, array_agg('{}'::text) AS vals,
                 array_agg(jsonb_build_object('id', id) ORDER BY n) AS headers
          FROM unnest(ids) WITH ORDINALITY AS u(id, n)) m,
         holdfast.inbox_apply('replay', 'public.regress_replay(text,jsonb,jsonb)', 'replay-test', 0, 1, first,
                              first + cardinality(ids), m.offsets, m.keys, m.vals, NULL, m.headers) a
$$;
SELECT * FROM pg_temp.consume(0, ARRAY[:'id1', :'id2', :'id4']);
SELECT * FROM pg_temp.consume(3, (SELECT array_agg(published_as::text) FROM holdfast.replay(first_id => :'id1', last_id => :'id2')));
SELECT * FROM pg_temp.consume(5, (SELECT array_agg(published_as::text) FROM holdfast.replay(first_id => :'id1', last_id => :'id2', as_new => true)));

-- All or nothing, and never more than was meant.
SELECT count(*) > 0 AS drained FROM pg_temp.sent();
SELECT * FROM holdfast.replay(topic => 'replay-test', "limit" => 2);
\echo :SQLSTATE
SELECT count(*) FROM pg_temp.sent();
SELECT count(*) FROM holdfast.replay(first_id => :'id1', last_id => :'id2', "limit" => 2);
SELECT * FROM holdfast.replay();
\echo :SQLSTATE
SELECT * FROM holdfast.replay("limit" => 5, as_new => true);
\echo :SQLSTATE
SELECT * FROM holdfast.replay('replay-test', as_new => NULL);
\echo :SQLSTATE
SELECT * FROM holdfast.replay('replay-test', "limit" => 0);
\echo :SQLSTATE
SELECT * FROM holdfast.replay('replay-test', "limit" => NULL);
\echo :SQLSTATE

DROP FUNCTION public.regress_replay;
SELECT pg_drop_replication_slot('regress_holdfast_r');

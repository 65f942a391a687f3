-- Records that are too large for their topic: kept behind a claim check, or as a dead letter.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- Kept whole, once however often it is sent; its checksum is that of topic, key and value.
SELECT id, sha256 FROM holdfast.keep_large_record('t', 'k', '{"big": "value"}', 'utf8', '{"id": "e1"}', 'e1', 2000000) \gset
SELECT :'sha256' = encode(sha256('\x00'::bytea || '') , 'hex') AS other, :'sha256' =
    encode(sha256('t'::bytea || '\x00'::bytea || 'k'::bytea || '\x00'::bytea || '{"big": "value"}'::bytea), 'hex') AS own,
    replace(:'id', '-', '') = left(:'sha256', 32) AS half;
SELECT topic, key, payload, encoding, headers, sha256 = :'sha256' AS same FROM holdfast.fetch_event(:'id');
SELECT id = :'id' AS same FROM holdfast.keep_large_record('t', 'k', '{"big": "value"}', 'utf8', '{"id": "e1", "replay": "true"}', 'e1', 2000010);
SELECT headers, size_bytes FROM holdfast.large_record WHERE id = :'id';
-- Bytes that are no text, a key that is null, a tombstone that is large by its headers.
SELECT id AS binary FROM holdfast.keep_large_record('t', NULL, encode('\x00ff', 'base64'), 'base64', NULL, NULL, 5) \gset
SELECT topic, key, payload, encoding, headers FROM holdfast.fetch_event(:'binary');
SELECT id AS tombstone FROM holdfast.keep_large_record('t', 'k', NULL, 'utf8', '{}', NULL, 5) \gset
SELECT topic, key, payload, encoding, headers FROM holdfast.fetch_event(:'tombstone');
SELECT count(*) AS unknown FROM holdfast.fetch_event('00000000-0000-0000-0000-000000000000');

-- A dead letter of its own kind, also once; its event leaves the value out.
SELECT holdfast.refuse_large_record('t', 'k', 'huge', 'utf8', '{"traceparent": "00-a"}', 'e2', 'the topic takes 10 bytes') AS letter \gset
SELECT holdfast.refuse_large_record('t', 'k', 'huge', 'utf8', '{}', 'e2', 'the topic takes 10 bytes') = :letter AS same,
       holdfast.refuse_large_record('t', 'k', 'more', 'utf8', '{}', '', 'the topic takes 10 bytes') = :letter AS another;
SELECT status, consumer, handler, topic, "partition", kafka_offset, event_id, key, value, sqlstate, message, attempts
FROM holdfast.dead_letter WHERE id = :letter;
SELECT aggregatetype, aggregateid, type, payload->'value' AS value, payload->'offset' AS kafka_offset, payload->>'errorClass' AS class, headers
FROM holdfast.outbox WHERE (payload->>'deadLetterId')::bigint = :letter;
\set VERBOSITY sqlstate
SELECT * FROM holdfast.redrive(:letter);
\set VERBOSITY terse
SELECT outcome FROM holdfast.discard(:letter, 'too large for ever');

-- Forgotten after the retention, and not before every slot has confirmed it.
UPDATE holdfast.large_record SET stored_at = now() - interval '1 year' WHERE id = :'id';
SELECT holdfast.forget_large_records() AS unconfirmed;
SELECT FROM pg_create_logical_replication_slot('regress_large', 'pgoutput');
INSERT INTO holdfast.relay_state (slot) VALUES ('regress_large');
SELECT FROM pg_replication_slot_advance('regress_large', pg_current_wal_lsn());
SELECT holdfast.maintain()->'large_records' AS forgotten;
SELECT count(*) FROM holdfast.fetch_event(:'id');
DELETE FROM holdfast.relay_state WHERE slot = 'regress_large';
SELECT FROM pg_drop_replication_slot('regress_large');
DELETE FROM holdfast.large_record;

-- An application's own events.
\set SHOW_CONTEXT never

SELECT holdfast.emit('catalog-events', '9001', 'ProductViewed', '{"productId": 9001, "kind": "VIEWED", "delta": 1}') AS id \gset
SELECT aggregatetype, aggregateid, type, payload::jsonb - '{eventId,occurredAt}'::text[] AS payload, headers,
       payload->>'eventId' = id::text AS same_id
FROM holdfast.outbox WHERE id = :'id';
-- The envelope comes first, in its order.
SELECT string_agg(k, ' ') FROM (SELECT json_object_keys(payload) AS k FROM holdfast.outbox WHERE id = :'id') k;

-- Trace and headers; the payload may say when it happened and which version it is, not who it is.
SET holdfast.trace_id = 'trace-1';
SET holdfast.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SELECT holdfast.emit('t', 'k', 'T', '{"eventId": "mine", "eventType": "Other", "schemaVersion": 2, "occurredAt": "2020-01-01T00:00:00Z", "a": null}',
                     '{"tenant": "x", "n": 1}') AS id \gset
SELECT payload->>'eventId' = id::text AS same_id, payload::jsonb - 'eventId' AS payload, headers::jsonb FROM holdfast.outbox WHERE id = :'id';
SELECT holdfast.emit('t', 'k', 'T', '{}', '{"traceparent": "own"}') AS id \gset
SELECT payload::jsonb - '{eventId,occurredAt}'::text[] AS payload, headers::jsonb FROM holdfast.outbox WHERE id = :'id';
RESET holdfast.trace_id;
RESET holdfast.traceparent;

-- With the transaction.
BEGIN;
SELECT holdfast.emit('t', 'rolled-back', 'T', '{}') IS NOT NULL AS emitted;
ROLLBACK;
SELECT count(*) FROM holdfast.outbox WHERE aggregateid = 'rolled-back';

SELECT holdfast.emit(NULL, 'k', 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('t', NULL, 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', NULL, '{}');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', 'T', NULL);
\echo :SQLSTATE
SELECT holdfast.emit('', 'k', 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('..', 'k', 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('no spaces', 'k', 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit(repeat('x', 250), 'k', 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('t', repeat('k', 501), 'T', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', '', '{}');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', 'T', '[]');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', 'T', 'null');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', 'T', '{}', '[]');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', 'T', '{}', '{"h": {"deep": 1}}');
\echo :SQLSTATE
SELECT holdfast.emit('t', 'k', 'T', '{}', '{"h": null}');
\echo :SQLSTATE

-- An event id is a time.
SELECT holdfast.uuid_v7_floor('2026-01-02 03:04:05.678+00') AS floor,
       holdfast.uuid_v7_time(holdfast.uuid_v7_floor('2026-01-02 03:04:05.678+00')) = '2026-01-02 03:04:05.678+00' AS back,
       holdfast.uuid_v7_floor(now() - interval '1 minute') < holdfast.uuid_v7() AS above,
       holdfast.uuid_v7_floor(now() + interval '1 minute') > holdfast.uuid_v7() AS below;

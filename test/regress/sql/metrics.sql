-- Catalog events, folded: once each, by product and day, whole batches at a time.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET timezone = 'Asia/Seoul';
CREATE VIEW pg_temp.metric AS
    SELECT product_id, day, likes, views, purchases, sold_out, back_in_stock
    FROM holdfast.product_metric WHERE product_id BETWEEN 8501 AND 8599 ORDER BY 1, 2;

-- What an application says with emit() is what the handler takes.
SELECT holdfast.emit('catalog-events', '8501', 'ProductViewed', '{"productId": 8501, "kind": "VIEWED", "occurredAt": "2021-03-01T23:59:59.5Z"}') AS id \gset
SELECT holdfast.on_catalog_event(aggregateid, payload::jsonb, NULL) FROM holdfast.outbox WHERE id = :'id';
SELECT holdfast.on_catalog_event('8501', '{"productId": 8501, "kind": "LIKED", "delta": 1, "occurredAt": "2021-03-02T00:30:00+01:00"}', '{}');
-- The day is that of UTC, whatever the session's.
SELECT * FROM pg_temp.metric;

-- Batches: every kind, with and without a delta; sums, not events; a number may come as text.
SELECT holdfast.on_catalog_event_batch(array_agg('k'::text), array_agg(v::jsonb || '{"occurredAt": "2021-03-01T12:00:00Z"}'), array_agg(NULL::jsonb))
FROM unnest(ARRAY[
    '{"productId": 8503, "kind": "VIEWED", "delta": 40}', '{"productId": 8502, "kind": "VIEWED"}', '{"productId": 8503, "kind": "VIEWED", "delta": 2}',
    '{"productId": 8502, "kind": "LIKED"}', '{"productId": 8502, "kind": "UNLIKED"}', '{"productId": 8502, "kind": "UNLIKED", "delta": 2}',
    '{"productId": 8502, "kind": "LIKED", "delta": -1}', '{"productId": "8503", "kind": "PURCHASED", "delta": "3"}', '{"productId": 8503, "kind": "PURCHASED"}',
    '{"productId": 8503, "kind": "SOLD_OUT"}', '{"productId": 8503, "kind": "BACK_IN_STOCK"}', '{"productId": 8503, "kind": "SOLD_OUT", "schemaVersion": 1, "unknown": {"field": 1}}']) v;
SELECT holdfast.on_catalog_event_batch('{}', '{}', '{}');
SELECT * FROM pg_temp.metric;

-- What cannot be understood.
CREATE FUNCTION pg_temp.refused(value jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM holdfast.on_catalog_event('k', value, NULL);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT v, pg_temp.refused(v::jsonb) FROM (VALUES
    (1, NULL), (2, '[]'), (3, 'null'),
    (4, '{"kind": "VIEWED", "occurredAt": "2021-03-01T12:00:00Z"}'),
    (5, '{"productId": null, "kind": "VIEWED", "occurredAt": "2021-03-01T12:00:00Z"}'),
    (6, '{"productId": -8501, "kind": "VIEWED", "occurredAt": "2021-03-01T12:00:00Z"}'),
    (7, '{"productId": 8501, "occurredAt": "2021-03-01T12:00:00Z"}'),
    (8, '{"productId": 8501, "kind": "viewed", "occurredAt": "2021-03-01T12:00:00Z"}'),
    (9, '{"productId": 8501, "kind": "VIEWED", "delta": 1.5, "occurredAt": "2021-03-01T12:00:00Z"}'),
    (10, '{"productId": 8501, "kind": "VIEWED", "delta": "many", "occurredAt": "2021-03-01T12:00:00Z"}'),
    (11, '{"productId": 8501, "kind": "VIEWED", "delta": 1234567890123456789, "occurredAt": "2021-03-01T12:00:00Z"}'),
    (12, '{"productId": 8501, "kind": "VIEWED"}'),
    (13, '{"productId": 8501, "kind": "VIEWED", "occurredAt": "2021-03-01"}'),
    (14, '{"productId": 8501, "kind": "VIEWED", "occurredAt": "yesterday"}'),
    (15, '{"productId": 8501, "kind": "VIEWED", "occurredAt": "2021-13-01T12:00:00Z"}'),
    (16, '{"productId": 8501, "kind": "VIEWED", "schemaVersion": 2, "occurredAt": "2021-03-01T12:00:00Z"}'),
    (17, '{"productId": 8501, "kind": "VIEWED", "schemaVersion": "1", "occurredAt": "2021-03-01T12:00:00Z"}')) AS t(n, v) ORDER BY n;
SELECT count(*) FROM pg_temp.metric WHERE product_id = 8501;

-- Through the inbox: a repetition counts nothing, poison is left out of its batch.
SELECT next_offset FROM holdfast.inbox_claim('metrics', 'catalog-events', 0, 0, 'here');
CREATE FUNCTION pg_temp.apply(first bigint, VARIADIC vals text[]) RETURNS TABLE (outcome text, sqlstate text) LANGUAGE sql AS $$
    SELECT a.outcome, a.sqlstate
    FROM (SELECT array_agg(first + n - 1 ORDER BY n) AS offsets, array_agg(v::jsonb->>'productId' ORDER BY n) AS keys,
                 array_agg(jsonb_build_object('id', 'metric-' || coalesce(v::jsonb->>'id', (first + n)::text)) ORDER BY n) AS headers,
                 array_agg((v::jsonb || '{"occurredAt": "2021-03-05T12:00:00Z"}')::text ORDER BY n) AS vals
          FROM unnest(vals) WITH ORDINALITY AS u(v, n)) m,
         holdfast.inbox_apply('metrics', 'holdfast.on_catalog_event(text,jsonb,jsonb)', 'catalog-events', 0, 1, first,
                              first + cardinality(m.vals), m.offsets, m.keys, m.vals, NULL, m.headers) a
$$;
SELECT * FROM pg_temp.apply(0, '{"productId": 8505, "kind": "VIEWED", "id": "a"}', '{"productId": 8504, "kind": "VIEWED"}', '{"productId": 8505, "kind": "VIEWED", "id": "a"}');
SELECT * FROM pg_temp.apply(3, '{"productId": 8505, "kind": "VIEWED", "id": "a"}', '{"productId": 8505, "kind": "VIEWED"}',
                            '{"productId": 8504, "kind": "SEEN"}', '{"productId": 8504, "kind": "VIEWED"}');
SELECT * FROM pg_temp.metric WHERE day = '2021-03-05';
-- Mended elsewhere, or given up: what waited behind it counts then.
SELECT outcome FROM holdfast.discard((SELECT id FROM holdfast.dead_letter WHERE consumer = 'metrics' AND status = 'DEAD'), 'a typo');
SELECT * FROM pg_temp.metric WHERE day = '2021-03-05';
-- More than a column holds: the message, not its batch.
SELECT * FROM pg_temp.apply(7, '{"productId": 8506, "kind": "VIEWED", "delta": 999999999999999999}', '{"productId": 8507, "kind": "VIEWED"}');
UPDATE holdfast.product_metric SET views = 9223372036854775807 WHERE product_id = 8506;
SELECT * FROM pg_temp.apply(9, '{"productId": 8506, "kind": "VIEWED"}', '{"productId": 8507, "kind": "VIEWED"}');
SELECT * FROM pg_temp.metric WHERE product_id BETWEEN 8506 AND 8507;

DELETE FROM holdfast.product_metric WHERE product_id BETWEEN 8501 AND 8599;

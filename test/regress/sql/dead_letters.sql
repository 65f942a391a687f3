-- What a person does about dead letters: redrive, discard, and what was parked follows in order.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE SCHEMA letters_test;
CREATE TABLE letters_test.applied (n serial, value jsonb);
CREATE TABLE letters_test.mended (what text);
CREATE FUNCTION letters_test.take(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF value ? 'broken' AND NOT EXISTS (SELECT FROM letters_test.mended WHERE what = value->>'broken') THEN
        RAISE EXCEPTION '% is broken', value->>'broken' USING ERRCODE = 'HF007';
    END IF;
    IF value ? 'busy' THEN
        RAISE EXCEPTION 'busy' USING ERRCODE = '55P03';
    END IF;
    INSERT INTO letters_test.applied (value) VALUES (value);
END
$$;
SELECT next_offset FROM holdfast.inbox_claim('letters', 'l', 0, 0, 'here');
CREATE FUNCTION pg_temp.apply(first bigint, key text, VARIADIC vals text[]) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT a.outcome
    FROM (SELECT array_agg(first + n - 1 ORDER BY n) AS offsets, array_agg(key ORDER BY n) AS keys,
                 array_agg(NULL::jsonb) AS headers
          FROM unnest(vals) WITH ORDINALITY AS u(v, n)) m,
         holdfast.inbox_apply('letters', 'letters_test.take(text,jsonb,jsonb)', 'l', 0, 1, first, first + cardinality(vals),
                              m.offsets, m.keys, vals, NULL, m.headers) a
$$;
-- Ids relative to the first of this file.
SELECT coalesce(max(id), 0) AS base FROM holdfast.dead_letter_entry \gset
CREATE FUNCTION pg_temp.entries(base bigint) RETURNS TABLE (n bigint, status text, value text, message text, attempts int, note text, resolved boolean)
LANGUAGE sql AS $$
    SELECT id - base, status, value, message, attempts, note, resolved_by IS NOT DISTINCT FROM session_user AND resolved_at IS NOT NULL
    FROM holdfast.dead_letter_entry WHERE id > base ORDER BY id
$$;

-- One that fails, three behind it, the third of which fails too.
SELECT * FROM pg_temp.apply(0, 'k', '{"broken":"pump"}', '{"a":1}', '{"broken":"valve"}', '{"a":2}');
SELECT * FROM pg_temp.apply(4, 'other', '{"a":"other"}');
SELECT * FROM pg_temp.entries(:base);
-- Not mended: still dead.
SELECT id - :base AS n, outcome, message FROM holdfast.redrive(:base + 1);
-- A parked one cannot be taken out of turn.
DO $$
DECLARE
    base bigint := (SELECT min(id) - 1 FROM holdfast.dead_letter_entry WHERE consumer = 'letters');
    message text;
BEGIN
    PERFORM holdfast.redrive(base + 2);
EXCEPTION WHEN SQLSTATE 'HF021' THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    RAISE WARNING '%', replace(replace(message, (base + 2)::text, 'N+2'), (base + 1)::text, 'N+1');
END
$$;
-- Mended: what was parked follows, up to the next that fails.
INSERT INTO letters_test.mended VALUES ('pump');
SELECT id - :base AS n, outcome, message FROM holdfast.redrive(:base + 1);
SELECT * FROM pg_temp.entries(:base);
SELECT value FROM letters_test.applied ORDER BY n;
-- The next of the key still waits.
SELECT * FROM pg_temp.apply(5, 'k', '{"a":3}');
-- Given up, with a note; the rest follows and the key is free.
SELECT * FROM holdfast.discard(:base + 3, NULL);
\echo :SQLSTATE
SELECT * FROM holdfast.discard(:base + 3, '');
\echo :SQLSTATE
SELECT id - :base AS n, outcome, message FROM holdfast.discard(:base + 3, 'valve is not ours');
SELECT * FROM pg_temp.entries(:base);
SELECT value FROM letters_test.applied ORDER BY n;
SELECT count(*) FROM holdfast.inbox_block WHERE consumer = 'letters';
SELECT * FROM pg_temp.apply(6, 'k', '{"a":4}');
SELECT event_id, outcome FROM holdfast.inbox_seen WHERE consumer = 'letters' ORDER BY kafka_offset;
-- Two were published as dead letters: when they failed, not when they were parked.
SELECT aggregateid, payload->>'value' AS value, payload->>'attempts' AS attempts FROM holdfast.outbox WHERE aggregatetype = 'l-dlq' ORDER BY id;

-- A transient error changes nothing.
SELECT * FROM pg_temp.apply(7, 'k', '{"broken":"seal","busy":1}');
INSERT INTO letters_test.mended VALUES ('seal');
SELECT * FROM holdfast.redrive((SELECT max(id) FROM holdfast.dead_letter_entry WHERE consumer = 'letters'));
\echo :SQLSTATE
SELECT n, status, attempts FROM pg_temp.entries(:base) ORDER BY n DESC LIMIT 1;
-- Twice, unknown, and a handler that is gone.
SELECT outcome FROM holdfast.discard((SELECT max(id) FROM holdfast.dead_letter_entry WHERE consumer = 'letters'), 'enough');
DO $$
BEGIN
    PERFORM holdfast.redrive((SELECT max(id) FROM holdfast.dead_letter_entry WHERE consumer = 'letters'));
EXCEPTION WHEN SQLSTATE 'HF021' THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, '\d+', 'N');
END
$$;
SELECT * FROM holdfast.redrive(-1);
\echo :SQLSTATE
SELECT * FROM holdfast.discard(-1, 'x');
\echo :SQLSTATE
SELECT * FROM holdfast.redrive(NULL);
\echo :SQLSTATE
SELECT * FROM pg_temp.apply(8, 'gone', '{"broken":"gear"}');
DROP FUNCTION letters_test.take;
DO $$
BEGIN
    PERFORM holdfast.redrive((SELECT max(id) FROM holdfast.dead_letter_entry WHERE consumer = 'letters'));
EXCEPTION WHEN SQLSTATE 'HF021' THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, '\d+', 'N');
END
$$;
SELECT outcome FROM holdfast.discard((SELECT max(id) FROM holdfast.dead_letter_entry WHERE consumer = 'letters'), 'handler removed');
SELECT count(*) FROM holdfast.dead_letter WHERE consumer = 'letters';
DROP SCHEMA letters_test CASCADE;

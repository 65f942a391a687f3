-- Every kind of error, raised below C++ frames that own objects: the client sees it unchanged, no object
-- is left behind, and the session goes on.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.probe_raise(kind text, depth int) RETURNS boolean
    LANGUAGE C STRICT AS '$libdir/holdfast', 'holdfast_probe_raise';
CREATE FUNCTION pg_temp.live_objects() RETURNS bigint
    LANGUAGE C AS '$libdir/holdfast', 'holdfast_probe_live_objects';

-- The installed extension offers no such thing.
SELECT count(*) FROM pg_catalog.pg_proc WHERE prosrc LIKE 'holdfast\_probe%' AND pronamespace = 'holdfast'::regnamespace;

SELECT pg_temp.probe_raise('none', 5), pg_temp.live_objects();

-- At top level, where the error ends the transaction.
SELECT pg_temp.probe_raise('backend_error', 0);
SELECT pg_temp.probe_raise('backend_error', 50);
SELECT pg_temp.probe_raise('sql_error', 3);
SELECT pg_temp.probe_raise('core_error', 3);
SELECT pg_temp.probe_raise('bad_alloc', 3);
SELECT pg_temp.probe_raise('std_exception', 3);
SELECT pg_temp.probe_raise('unknown', 3);
SELECT pg_temp.probe_raise('cancel', 3);
SELECT pg_temp.live_objects();

-- Inside subtransactions, each kind from several depths, with everything that the client is told.
CREATE FUNCTION pg_temp.caught(kind text, depth int,
    OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.probe_raise(kind, depth);
    state := 'none';
EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
SELECT kind, depth, c.* FROM
    unnest(ARRAY['backend_error', 'sql_error', 'core_error', 'bad_alloc', 'std_exception', 'unknown', 'cancel', 'none'])
        WITH ORDINALITY AS k(kind, n),
    unnest(ARRAY[0, 1, 20]) AS depth,
    pg_temp.caught(kind, depth) AS c
ORDER BY n, depth;
SELECT pg_temp.live_objects();

-- A text that does not fit is cut between two characters.
SELECT state, length(message), right(message, 3) FROM pg_temp.caught('long_text', 2);

-- A statement's timeout, and a cancel, while the server works below our frames.
SET statement_timeout = '50ms';
SELECT pg_temp.probe_raise('sleep', 10);
RESET statement_timeout;
SELECT pg_temp.live_objects();

-- A warning is an error when the client's encoding lacks a letter of it.
SELECT pg_temp.probe_raise('warning', 5);
SET client_encoding = 'LATIN1';
SELECT pg_temp.probe_raise('warning', 5);
RESET client_encoding;
SELECT pg_temp.live_objects();

-- The same objects stand in the way of real calls.
SELECT holdfast.event_order_failed_v1(NULL, 1, 'RESERVE', 'r', 'm', NULL);
CALL holdfast.place_order(1, '[{"productId":-1,"quantity":1}]');
CALL holdfast.place_order(1, '[{"productId":-1,"quantity":1}]', NULL, '{"traceId":"a trace id that is long enough not to fit a small string","x":1}');
DO $$
BEGIN
    FOR i IN 1..200 LOOP
        BEGIN
            PERFORM pg_temp.probe_raise(CASE WHEN i % 2 = 0 THEN 'backend_error' ELSE 'core_error' END, i);
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END
$$;
SELECT pg_temp.live_objects();

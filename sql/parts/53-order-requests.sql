-- Part 53: asynchronous intake.  submit_order() answers at once with a trace id; the order is placed when
-- the event comes back through the inbox, in batches of one transaction.

CREATE FUNCTION holdfast.event_order_request_v1(
    event_id uuid, trace_id uuid, user_id bigint, lines jsonb, idempotency_key text, options jsonb)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'OrderRequested',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', trace_id,
        'userId', user_id,
        'lines', lines,
        'idempotencyKey', idempotency_key,
        'options', options));
END
$$;
COMMENT ON FUNCTION holdfast.event_order_request_v1 IS 'The payload of an order-request event; lines and options as place_order takes them.';

CREATE FUNCTION holdfast.submit_order(
    user_id bigint, lines jsonb, idempotency_key text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    known order_request;
    new_trace_id uuid;
    event_id uuid;
    token text := submit_order.options->>'admissionToken';
    -- The token is used here, and nothing of it is needed later.
    kept_options jsonb := CASE WHEN token IS NULL THEN submit_order.options
                               ELSE nullif(submit_order.options - 'admissionToken', '{}') END;
    room int;
    problem text;
BEGIN
    PERFORM check_order_request(submit_order.user_id, submit_order.lines, submit_order.idempotency_key,
                                submit_order.options);
    IF submit_order.options ?| '{orderId,traceId}' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF009',
            MESSAGE = 'an order that is submitted gets its order id and its trace id from submit_order';
    END IF;
    IF submit_order.idempotency_key IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(
            format('holdfast.submit %s %s', submit_order.user_id, submit_order.idempotency_key), 0));
        SELECT * INTO known FROM order_request r
        WHERE r.user_id = submit_order.user_id AND r.idempotency_key = submit_order.idempotency_key
        ORDER BY r.created_at LIMIT 1;
        IF known.trace_id IS NOT NULL THEN
            IF (known.lines, known.options) IS DISTINCT FROM (submit_order.lines, kept_options) THEN
                RAISE EXCEPTION USING ERRCODE = 'HF006',
                    MESSAGE = format('idempotency key "%s" was used with another request', submit_order.idempotency_key);
            END IF;
            RETURN known.trace_id;
        END IF;
    END IF;

    new_trace_id := uuid_v7();
    event_id := uuid_v7();
    INSERT INTO order_request (trace_id, user_id, idempotency_key, lines, options, admitted_room)
    VALUES (new_trace_id, submit_order.user_id, submit_order.idempotency_key, submit_order.lines, kept_options,
            (SELECT min(p.waiting_room_id)
             FROM jsonb_array_elements(submit_order.lines) AS l
                  JOIN product p ON p.product_id = (l->>'productId')::bigint))
    RETURNING admitted_room INTO room;
    IF room IS NOT NULL THEN
        IF EXISTS (SELECT FROM jsonb_array_elements(submit_order.lines) AS l
                        JOIN product p ON p.product_id = (l->>'productId')::bigint
                   WHERE p.waiting_room_id <> room) THEN
            RAISE EXCEPTION USING ERRCODE = 'HF033', MESSAGE = 'products of one order must have one waiting room';
        END IF;
        problem := use_admission(room, submit_order.user_id, token, NULL, NULL);
        IF problem IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF030', MESSAGE = problem;
        END IF;
    END IF;
    -- The key is the trace id: a request that becomes a dead letter keeps nobody else's waiting.
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    VALUES (event_id, 'order-request', new_trace_id::text, 'OrderRequested',
            event_order_request_v1(event_id, new_trace_id, submit_order.user_id, submit_order.lines,
                                   submit_order.idempotency_key, kept_options),
            trace_headers(current_setting('holdfast.traceparent', true)));
    RETURN new_trace_id;
END
$$;
COMMENT ON FUNCTION holdfast.submit_order IS
    'Asks for an order and returns its trace id at once: the request is PROCESSING and order-request is published, in the caller''s transaction. What became of it: order_status(trace_id). The same key and the same request give the same trace id; with another request HF006. What is wrong with the request itself is an error here, and so is a missing admission token, which is used now (HF030); stock and limits are looked at later.';

CREATE FUNCTION holdfast.order_status(trace_id uuid, user_id bigint DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    r order_request;
BEGIN
    SELECT * INTO r FROM order_request q WHERE q.trace_id = order_status.trace_id;
    IF NOT FOUND OR r.user_id <> order_status.user_id THEN
        RAISE EXCEPTION USING ERRCODE = 'HF007', MESSAGE = format('request %s does not exist', order_status.trace_id);
    END IF;
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'traceId', r.trace_id, 'userId', r.user_id, 'status', r.status, 'orderId', r.order_id,
        'orderStatus', (SELECT o.status FROM orders o WHERE o.order_id = r.order_id),
        'reason', r.reason, 'message', r.message,
        'createdAt', event_time(r.created_at), 'updatedAt', event_time(r.updated_at)));
END
$$;
COMMENT ON FUNCTION holdfast.order_status(uuid, bigint) IS
    'What became of a submitted order: PROCESSING, COMPLETED with orderId, or FAILED with reason. With a user_id only that user''s requests exist; HF007 for others. LISTEN holdfast_order_status tells when to look.';

CREATE FUNCTION holdfast.event_trace_id(value jsonb) RETURNS uuid
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM check_event(value);
    IF jsonb_typeof(value->'traceId') IS DISTINCT FROM 'string'
       OR value->>'traceId' !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'traceId of an order request must be a UUID';
    END IF;
    RETURN value->>'traceId';
END
$$;
COMMENT ON FUNCTION holdfast.event_trace_id(jsonb) IS 'traceId of an order request that can be understood, else HF001.';

CREATE FUNCTION holdfast.on_order_request_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    trace_ids uuid[];
    users bigint[];
    -- The requests that are still to be placed, in the order of their messages.
    open_traces uuid[];
    open_users bigint[];
    open_lines jsonb[];
    open_keys text[];
    open_options jsonb[];
    open_messages int[];
    stranger uuid;
    results jsonb;
    failed record;
    event_id uuid;
BEGIN
    SELECT array_agg(event_trace_id(e.value) ORDER BY e.n),
           array_agg(CASE WHEN jsonb_typeof(e.value->'userId') = 'number' AND e.value->>'userId' ~ '^-?[0-9]{1,18}$'
                          THEN (e.value->>'userId')::bigint END ORDER BY e.n)
    INTO trace_ids, users
    FROM unnest("values") WITH ORDINALITY AS e(value, n);
    IF trace_ids IS NULL THEN
        RETURN;
    END IF;
    IF array_position(users, NULL) IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'an order request must have a userId';
    END IF;

    -- There is none yet of a request that an application has published itself.
    INSERT INTO order_request (trace_id, user_id, idempotency_key, lines, options)
    SELECT DISTINCT ON (e.trace_id) e.trace_id, e.user_id, e.value->>'idempotencyKey',
           coalesce(e.value->'lines', 'null'), nullif(e.value->'options', 'null')
    FROM unnest(trace_ids, users, "values") WITH ORDINALITY AS e(trace_id, user_id, value, n)
    ORDER BY e.trace_id, e.n
    ON CONFLICT DO NOTHING;

    WITH locked AS MATERIALIZED (
        SELECT r.* FROM order_request r
        WHERE r.trace_id = ANY (trace_ids) ORDER BY r.trace_id FOR NO KEY UPDATE),
    wanted AS (
        SELECT DISTINCT ON (e.trace_id) e.*, l.user_id AS owner
        FROM unnest(trace_ids, users, "values") WITH ORDINALITY AS e(trace_id, user_id, value, n)
             JOIN locked l ON l.trace_id = e.trace_id
        WHERE l.status = 'PROCESSING' OR l.reason = 'DEAD_LETTER'
        ORDER BY e.trace_id, e.n)
    SELECT array_agg(w.trace_id ORDER BY w.n), array_agg(w.user_id ORDER BY w.n),
           array_agg(nullif(w.value->'lines', 'null') ORDER BY w.n), array_agg(w.value->>'idempotencyKey' ORDER BY w.n),
           array_agg(coalesce(nullif(w.value->'options', 'null'), '{}')
                     || jsonb_build_object('traceId', w.trace_id) ORDER BY w.n),
           array_agg(w.n ORDER BY w.n),
           (array_agg(w.trace_id ORDER BY w.n) FILTER (WHERE w.user_id <> w.owner))[1]
    INTO open_traces, open_users, open_lines, open_keys, open_options, open_messages, stranger
    FROM wanted w;
    IF open_traces IS NULL THEN
        RETURN;
    END IF;
    IF stranger IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = format('request %s is of another user', stranger);
    END IF;

    results := place_orders_work(open_users, open_lines, open_keys, open_options, 'tx');

    -- An error is this one message's, and inbox_apply finds out whose by applying each on its own.
    SELECT e.result->>'sqlstate' AS sqlstate, e.result->>'message' AS message INTO failed
    FROM jsonb_array_elements(results) WITH ORDINALITY AS e(result, n)
    WHERE e.result->>'status' = 'ERROR' ORDER BY e.n LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = failed.sqlstate, MESSAGE = failed.message;
    END IF;

    UPDATE order_request r
    SET status = CASE a.result->>'status' WHEN 'PENDING' THEN 'COMPLETED' ELSE 'FAILED' END,
        order_id = (a.result->>'orderId')::bigint, reason = a.result->'detail'->>'reason',
        message = a.message, updated_at = clock_timestamp()
    FROM (SELECT open_traces[e.n] AS trace_id, e.result,
                 CASE WHEN e.result->'detail' ? 'message' THEN e.result->'detail'->>'message'
                      WHEN e.result->'detail' ? 'reason' THEN
                     (SELECT string_agg(
                                 CASE WHEN l ? 'limit' THEN
                                     format('product %s: %s requested, limit of %s per %s, %s taken', l->>'productId',
                                            l->>'requested', l->>'limit', lower(l->>'per'), l->>'taken')
                                 ELSE format('product %s: %s requested, %s available', l->>'productId',
                                             l->>'requested', l->>'available') END, '; ' ORDER BY l->'productId')
                      FROM jsonb_array_elements(e.result->'detail'->'lines') AS l) END AS message
          FROM jsonb_array_elements(results) WITH ORDINALITY AS e(result, n)) a
    WHERE r.trace_id = a.trace_id AND r.trace_id = ANY (open_traces);

    IF current_setting('holdfast.dead_letter_refusals')::boolean THEN
        FOR failed IN
            SELECT open_messages[e.n] AS n, e.result
            FROM jsonb_array_elements(results) WITH ORDINALITY AS e(result, n)
            WHERE e.result->>'status' = 'FAILED' ORDER BY e.n
        LOOP
            event_id := uuid_v7();
            INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload)
            VALUES (event_id, 'order-request-dlq', trace_ids[failed.n]::text, 'DeadLetter',
                    event_dead_letter_v1(event_id, NULL, NULL, 'order-request', NULL, NULL, keys[failed.n],
                        "values"[failed.n]::text, 'utf8', headers[failed.n], 'BUSINESS', NULL,
                        failed.result->'detail'->>'reason', 1));
        END LOOP;
    END IF;
    PERFORM pg_notify('holdfast_order_status', jsonb_build_object('traceIds', to_jsonb(part.ids))::text)
    FROM (SELECT array_agg(t.id ORDER BY t.n) AS ids
          FROM unnest(open_traces) WITH ORDINALITY AS t(id, n) GROUP BY (t.n - 1) / 150) part;
END
$$;
COMMENT ON FUNCTION holdfast.on_order_request_batch IS 'on_order_request for many messages at once: one transaction, each stock row updated once.';

CREATE FUNCTION holdfast.on_order_request(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_order_request_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_order_request IS
    'Places a requested order: traceId (a UUID), userId, lines, and optionally idempotencyKey and options. A refusal is an outcome: the request is FAILED and order-failed is published; with holdfast.dead_letter_refusals a copy goes to order-request-dlq. A request that is wrong in itself raises, becomes a dead letter, and is FAILED with reason DEAD_LETTER. A trace id that has its answer changes nothing.';

CREATE FUNCTION holdfast.fail_order_request(value text, message text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    request jsonb;
    failed_trace_id uuid;
BEGIN
    BEGIN
        request := fail_order_request.value;
        failed_trace_id := event_trace_id(request);
    EXCEPTION WHEN data_exception OR SQLSTATE 'HF001' OR program_limit_exceeded THEN
        RETURN;  -- nobody can ask for it
    END;
    UPDATE order_request r
    SET status = 'FAILED', reason = 'DEAD_LETTER', message = fail_order_request.message, updated_at = clock_timestamp()
    WHERE r.trace_id = failed_trace_id AND r.status = 'PROCESSING';
    -- What the handler had written of a request that an application published itself is undone.  Its key, of
    -- which nobody has looked at the length, is left out: nothing may fail here.
    IF NOT FOUND AND jsonb_typeof(request->'userId') = 'number' AND request->>'userId' ~ '^-?[0-9]{1,18}$' THEN
        INSERT INTO order_request (trace_id, user_id, lines, options, status, reason, message)
        VALUES (failed_trace_id, (request->>'userId')::bigint, coalesce(request->'lines', 'null'),
                nullif(request->'options', 'null'), 'FAILED', 'DEAD_LETTER', fail_order_request.message)
        ON CONFLICT DO NOTHING;
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('holdfast_order_status', jsonb_build_object('traceIds', jsonb_build_array(failed_trace_id))::text);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.fail_order_request(text, text) IS
    'internal to inbox_refuse: the request of a message that became a dead letter is FAILED, until a redrive places it.';

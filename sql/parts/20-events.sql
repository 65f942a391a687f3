-- Part 20: one function per event and version, and emit().  The four events of the order path are
-- built in C++ (order_created, inventory_reserved, inventory_updated, order_failed); these are the rest.
-- A member without a value is left out.

CREATE FUNCTION holdfast.event_time(at timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
COMMENT ON FUNCTION holdfast.event_time(timestamptz) IS 'RFC 3339 in UTC with microseconds';

CREATE FUNCTION holdfast.check_event(value jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF value IS NULL OR jsonb_typeof(value) <> 'object' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'an event must be a JSON object';
    END IF;
    IF value ? 'schemaVersion' AND value->'schemaVersion' <> '1' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = format('schemaVersion %s is not understood', value->>'schemaVersion');
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.check_event(jsonb) IS
    'HF001 unless it is an event that a handler can understand: a JSON object of no higher major version; members that it does not know are no reason.';

CREATE FUNCTION holdfast.event_order_events_v1(
    event_id uuid, kind text, order_id bigint, user_id bigint, status text,
    original_total_amount bigint, discount_amount bigint, final_total_amount bigint, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', replace(initcap(replace(kind, '_', ' ')), ' ', ''),
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', nullif(trace_id, ''),
        'orderId', order_id,
        'orderNumber', order_id::text,
        'userId', user_id,
        'status', status,
        'originalTotalAmount', original_total_amount,
        'discountAmount', discount_amount,
        'finalTotalAmount', final_total_amount,
        'kind', kind));
END
$$;
COMMENT ON FUNCTION holdfast.event_order_events_v1 IS
    'The payload of an order-events event; kind is ORDER_CONFIRMED, ORDER_CANCELLED, ORDER_EXPIRED or ORDER_FAILED.';

CREATE FUNCTION holdfast.event_inventory_released_v1(
    event_id uuid, order_id bigint, lines json, cause text, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'InventoryReleased',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', nullif(trace_id, ''),
        'orderId', order_id,
        'lines', lines,
        'cause', cause));
END
$$;
COMMENT ON FUNCTION holdfast.event_inventory_released_v1 IS 'The payload of an inventory-released event.';

CREATE FUNCTION holdfast.event_refund_requested_v1(
    event_id uuid, order_id bigint, payment_id text, amount bigint, reason text,
    idempotency_key text, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'RefundRequested',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', nullif(trace_id, ''),
        'orderId', order_id,
        'paymentId', payment_id,
        'amount', amount,
        'reason', reason,
        'idempotencyKey', idempotency_key));
END
$$;
COMMENT ON FUNCTION holdfast.event_refund_requested_v1 IS
    'The payload of a refund-requested event; the payment service refunds once per idempotencyKey.';

CREATE FUNCTION holdfast.event_payment_completed_v1(
    event_id uuid, payment_id text, transaction_key text, order_id bigint, user_id bigint,
    amount bigint, currency text, card_type text, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'PaymentCompleted',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', nullif(trace_id, ''),
        'paymentId', payment_id,
        'transactionKey', transaction_key,
        'orderId', order_id,
        'orderNumber', order_id::text,
        'userId', user_id,
        'amount', amount,
        'currency', currency,
        'cardType', card_type));
END
$$;
COMMENT ON FUNCTION holdfast.event_payment_completed_v1 IS 'The payload of a payment-completed event.';

CREATE FUNCTION holdfast.event_payment_failed_v1(
    event_id uuid, payment_id text, transaction_key text, order_id bigint, user_id bigint,
    amount bigint, currency text, card_type text, reason text, retryable boolean, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'PaymentFailed',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', nullif(trace_id, ''),
        'paymentId', payment_id,
        'transactionKey', transaction_key,
        'orderId', order_id,
        'orderNumber', order_id::text,
        'userId', user_id,
        'amount', amount,
        'currency', currency,
        'cardType', card_type,
        'reason', reason,
        'retryable', retryable));
END
$$;
COMMENT ON FUNCTION holdfast.event_payment_failed_v1 IS
    'The payload of a payment-failed event; retryable: the order may still be paid by another attempt.';

CREATE FUNCTION holdfast.event_payment_event_v1(
    event_id uuid, payment_id text, order_id bigint, status text, amount bigint, currency text, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'PaymentStored',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceId', nullif(trace_id, ''),
        'paymentId', payment_id,
        'orderId', order_id,
        'status', status,
        'amount', amount,
        'currency', currency));
END
$$;
COMMENT ON FUNCTION holdfast.event_payment_event_v1 IS
    'The payload of a payment-event event, for notifiers; status is what the payment has become.';

CREATE FUNCTION holdfast.event_dead_letter_v1(
    event_id uuid, dead_letter_id bigint, consumer text, topic text, "partition" int,
    kafka_offset bigint, key text, value text, encoding text, headers jsonb,
    error_class text, error_sqlstate text, message text, attempts int)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    -- Not stripped of nulls: the headers are another's, and a null in them means something to it.
    RETURN json_build_object(
        'eventId', event_id,
        'eventType', 'DeadLetter',
        'schemaVersion', 1,
        'occurredAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'deadLetterId', dead_letter_id,
        'consumer', consumer,
        'topic', topic,
        'partition', "partition",
        'offset', kafka_offset,
        'key', key,
        'value', value,
        'encoding', encoding,
        'headers', headers,
        'errorClass', error_class,
        'sqlstate', error_sqlstate,
        'message', message,
        'attempts', attempts);
END
$$;
COMMENT ON FUNCTION holdfast.event_dead_letter_v1 IS
    'The payload of a <topic>-dlq event; errorClass is BUSINESS (SQLSTATE class HF), FORMAT (22) or TECHNICAL.';

CREATE FUNCTION holdfast.trace_headers(traceparent text) RETURNS json
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF traceparent IS NULL OR traceparent = '' THEN
        RETURN NULL;
    END IF;
    RETURN json_strip_nulls(json_build_object('traceparent', traceparent));
END
$$;
COMMENT ON FUNCTION holdfast.trace_headers(text) IS 'outbox.headers of an event of that trace; NULL without one';

CREATE FUNCTION holdfast.emit(topic text, key text, type text, payload jsonb, headers jsonb DEFAULT NULL)
RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    event_id uuid := uuid_v7();
    envelope text;
    members text;
    traceparent text := current_setting('holdfast.traceparent', true);
BEGIN
    IF topic IS NULL OR key IS NULL OR type IS NULL OR payload IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005',
            MESSAGE = format('%s of an event must not be null',
                CASE WHEN topic IS NULL THEN 'topic' WHEN key IS NULL THEN 'key'
                     WHEN type IS NULL THEN 'type' ELSE 'payload' END);
    END IF;
    IF topic !~ '^[a-zA-Z0-9._-]{1,249}$' OR topic IN ('.', '..') THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = format('"%s" is not a topic name', topic),
            DETAIL = 'A topic name has 1 to 249 letters, digits, dots, underscores and hyphens.';
    END IF;
    IF length(key) > 500 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'key of an event must not be longer than 500 characters';
    END IF;
    IF type = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'type of an event must not be empty';
    END IF;
    IF jsonb_typeof(payload) <> 'object' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = format('payload of an event must be a JSON object, not %s', jsonb_typeof(payload));
    END IF;
    IF headers IS NOT NULL AND (jsonb_typeof(headers) <> 'object'
            OR EXISTS (SELECT FROM jsonb_each(headers) h
                       WHERE jsonb_typeof(h.value) IN ('object', 'array', 'null'))) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = 'headers of an event must be a JSON object of strings, numbers or booleans';
    END IF;

    envelope := json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', type,
        'schemaVersion', coalesce(payload->'schemaVersion', '1'),
        'occurredAt', coalesce(payload->>'occurredAt', event_time(clock_timestamp())),
        'traceId', coalesce(payload->>'traceId', nullif(current_setting('holdfast.trace_id', true), ''))));
    members := (payload - '{eventId,eventType,schemaVersion,occurredAt,traceId}'::text[])::text;
    IF members <> '{}' THEN
        envelope := left(envelope, -1) || ', ' || substr(members, 2);
    END IF;

    IF traceparent <> '' AND NOT coalesce(headers ? 'traceparent', false) THEN
        headers := coalesce(headers, '{}') || jsonb_build_object('traceparent', traceparent);
    END IF;

    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    VALUES (event_id, topic, key, type, envelope::json, nullif(headers, '{}')::json);
    RETURN event_id;
END
$$;
COMMENT ON FUNCTION holdfast.emit IS
    'Publishes an event of the application''s own with this transaction. The payload''s members follow eventId, eventType, schemaVersion, occurredAt and traceId; of these the payload may set the last three. Returns the event id.';

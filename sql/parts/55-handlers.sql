-- Part 55: what the inbox calls.  Each handler takes key, value and headers of one message; NAME_batch,
-- where there is one, takes arrays of them, and inbox_apply() tries it first.  Events come late, early
-- and more than once, so each looks at the order, under its lock, before it does anything.

CREATE FUNCTION holdfast.event_order_id(value jsonb) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM check_event(value);
    IF NOT value ? 'orderId' OR jsonb_typeof(value->'orderId') NOT IN ('number', 'string')
       OR value->>'orderId' !~ '^[0-9]{1,18}$' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'an event must have an orderId';
    END IF;
    RETURN value->>'orderId';
END
$$;
COMMENT ON FUNCTION holdfast.event_order_id(jsonb) IS 'orderId of an event that can be understood, else HF001.';

CREATE FUNCTION holdfast.lock_orders_of("values" jsonb[]) RETURNS bigint[]
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    order_ids bigint[];
BEGIN
    SELECT array_agg(event_order_id(e.value) ORDER BY e.n) INTO order_ids
    FROM unnest("values") WITH ORDINALITY AS e(value, n);
    PERFORM await_order(i.order_id)
    FROM (SELECT DISTINCT i.order_id FROM unnest(order_ids) AS i(order_id)
          WHERE NOT EXISTS (SELECT FROM orders t WHERE t.order_id = i.order_id) ORDER BY i.order_id) i;
    PERFORM FROM orders t WHERE t.order_id = ANY (order_ids) ORDER BY t.order_id FOR NO KEY UPDATE;
    RETURN order_ids;
END
$$;
COMMENT ON FUNCTION holdfast.lock_orders_of(jsonb[]) IS
    'The orders that events are about, in the order of the events, NULL for none; those that there are, or are about to be seen, are locked. HF001 for what is no event of an order.';

CREATE FUNCTION holdfast.event_amount(value jsonb) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF NOT value ? 'amount' OR value->>'amount' IS NULL OR value->>'amount' !~ '^[0-9]{1,18}$' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = 'amount of a payment must be a whole number of minor units';
    END IF;
    RETURN value->>'amount';
END
$$;
COMMENT ON FUNCTION holdfast.event_amount(jsonb) IS 'amount of a payment event, else HF001.';

CREATE FUNCTION holdfast.event_payment_id(value jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(value->'paymentId') IS DISTINCT FROM 'string'
       AND jsonb_typeof(value->'paymentId') IS DISTINCT FROM 'number'
       OR value->>'paymentId' = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'a payment must have a paymentId';
    END IF;
    RETURN value->>'paymentId';
END
$$;
COMMENT ON FUNCTION holdfast.event_payment_id(jsonb) IS 'paymentId of a payment event, else HF001.';

CREATE FUNCTION holdfast.event_retryable(value jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF coalesce(jsonb_typeof(value->'retryable'), 'null') NOT IN ('boolean', 'null') THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'retryable of a payment must be true or false';
    END IF;
    RETURN (value->>'retryable')::boolean;
END
$$;
COMMENT ON FUNCTION holdfast.event_retryable(jsonb) IS 'retryable of a payment event, NULL when it says nothing, else HF001.';

CREATE FUNCTION holdfast.note_ignored(order_ids bigint[], cause text, detail jsonb DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO order_history (order_id, status, cause, detail)
    SELECT o.order_id, o.status, cause || ' ignored', detail
    FROM orders o WHERE o.order_id = ANY (order_ids) ORDER BY o.order_id;
END
$$;
COMMENT ON FUNCTION holdfast.note_ignored IS 'Leaves a line in the history of orders that an event came too late for.';

-- ---- order-failed -----------------------------------------------------------------------------

CREATE FUNCTION holdfast.on_order_failed_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    order_ids bigint[];
    known bigint[];
    completed bigint[];
    unknown bigint[];
    id bigint;
BEGIN
    SELECT array_agg(event_order_id(e.value) ORDER BY e.n) INTO order_ids
    FROM unnest("values") WITH ORDINALITY AS e(value, n);
    IF order_ids IS NULL THEN
        RETURN;
    END IF;

    SELECT array_agg(o.order_id), array_agg(o.order_id) FILTER (WHERE o.status = 'COMPLETED')
    INTO known, completed
    FROM (SELECT o.order_id, o.status FROM orders o
          WHERE o.order_id = ANY (order_ids) ORDER BY o.order_id FOR NO KEY UPDATE) o;

    -- Before its order: leave a tombstone.  The order may have been placed since we looked, under its id's
    -- lock, or be about to be seen.
    IF cardinality(known) IS DISTINCT FROM cardinality(order_ids) THEN
        SELECT array_agg(DISTINCT i ORDER BY i) INTO unknown
        FROM unnest(order_ids) i WHERE i <> ALL (coalesce(known, '{}'));
        FOREACH id IN ARRAY coalesce(unknown, '{}') LOOP
            PERFORM lock_order_id(id);
            PERFORM await_order(id);
        END LOOP;
        INSERT INTO order_tombstone (order_id, step, reason, message, event_id)
        SELECT DISTINCT ON (t.order_id) t.order_id, coalesce(t.value->>'failedStep', 'UNKNOWN'),
               coalesce(t.value->>'reason', 'UNKNOWN'), t.value->>'message',
               coalesce(t.headers->>'id', t.value->>'eventId')
        FROM unnest(order_ids, "values", headers) WITH ORDINALITY AS t(order_id, value, headers, n)
        WHERE t.order_id = ANY (unknown)
          AND NOT EXISTS (SELECT FROM orders o WHERE o.order_id = t.order_id)
        ORDER BY t.order_id, t.n
        ON CONFLICT DO NOTHING;

        SELECT array_agg(o.order_id) FILTER (WHERE o.status = 'COMPLETED') INTO completed
        FROM (SELECT o.order_id, o.status FROM orders o
              WHERE o.order_id = ANY (order_ids) ORDER BY o.order_id FOR NO KEY UPDATE) o;
    END IF;

    -- For an order that was paid it comes too late.  Orders that have ended already, among them those
    -- that our own order-failed tells about, hold nothing.
    IF completed IS NOT NULL THEN
        PERFORM note_ignored(completed, 'order-failed');
    END IF;
    PERFORM end_orders(
        order_ids,
        ARRAY(SELECT coalesce(e.value->>'failedStep', 'UNKNOWN') FROM unnest("values") WITH ORDINALITY AS e(value, n) ORDER BY e.n),
        ARRAY(SELECT coalesce(e.value->>'reason', 'UNKNOWN') FROM unnest("values") WITH ORDINALITY AS e(value, n) ORDER BY e.n),
        ARRAY(SELECT e.value->>'message' FROM unnest("values") WITH ORDINALITY AS e(value, n) ORDER BY e.n),
        'FAILED', 'order-failed', false);
END
$$;
COMMENT ON FUNCTION holdfast.on_order_failed_batch IS 'on_order_failed for many messages at once.';

CREATE FUNCTION holdfast.on_order_failed(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_order_failed_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_order_failed IS
    'Compensation: what the order holds goes back, the order is FAILED. Nothing for an order that has ended; noted in the history of a COMPLETED one; a tombstone for one that does not exist yet.';

-- ---- payment-completed ------------------------------------------------------------------------

CREATE FUNCTION holdfast.on_payment_completed_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    order_ids bigint[];
    event record;
    o orders;
    p payment;
    outcome record;
    paid_orders bigint[] := '{}';
    paid_by text[] := '{}';
BEGIN
    order_ids := lock_orders_of("values");
    IF order_ids IS NULL THEN
        RETURN;
    END IF;

    FOR event IN
        SELECT i.order_id, t AS known_order, event_payment_id(e.value) AS payment_id, event_amount(e.value) AS amount, e.value
        FROM unnest("values") WITH ORDINALITY AS e(value, n)
             CROSS JOIN LATERAL (SELECT event_order_id(e.value) AS order_id) i
             LEFT JOIN orders t ON t.order_id = i.order_id
        ORDER BY e.n
    LOOP
        o := event.known_order;
        IF o.order_id IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF027', MESSAGE = format('order %s does not exist', event.order_id);
        END IF;
        p := payment_of(o, event.payment_id);
        -- Told before, or told by us.
        CONTINUE WHEN p.status IN ('COMPLETED', 'REFUND_PENDING', 'REFUNDED');

        p.payment_id := event.payment_id;
        p.transaction_key := coalesce(event.value->>'transactionKey', p.transaction_key);
        p.card_type := coalesce(event.value->>'cardType', p.card_type);
        outcome := settle_payment(o, p, event.amount, 'payment-completed', false);
        IF outcome.pays_order THEN
            paid_orders := paid_orders || o.order_id;
            paid_by := paid_by || event.payment_id;
        END IF;
    END LOOP;
    PERFORM orders_paid(paid_orders, paid_by, 'payment-completed');
END
$$;
COMMENT ON FUNCTION holdfast.on_payment_completed_batch IS 'on_payment_completed for many messages at once.';

CREATE FUNCTION holdfast.on_payment_completed(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_payment_completed_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_payment_completed IS
    'Records the payment; when the order is paid it is COMPLETED, or its saga goes on (pay_first: takes the stock, or, when that is gone, the order is FAILED and refund-requested published); for payment-completed and payment-processed alike. Nothing for a payment that is COMPLETED, so complete_payment''s own event comes back without effect; one that is FAILED was paid after all. A payment for an order that has ended, or one too many, is recorded REFUND_PENDING and refund-requested is published. Publishes payment-event, and never payment-completed again. HF027 the order is not there yet, HF011 wrong amount.';

-- ---- payment-failed ---------------------------------------------------------------------------

CREATE FUNCTION holdfast.on_payment_failed_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    order_ids bigint[];
    event record;
    o orders;
    p payment;
    failing bigint[] := '{}';
    reasons text[] := '{}';
    messages text[] := '{}';
BEGIN
    order_ids := lock_orders_of("values");
    IF order_ids IS NULL THEN
        RETURN;
    END IF;

    FOR event IN
        SELECT i.order_id, t AS known_order, event_payment_id(e.value) AS payment_id, e.value
        FROM unnest("values") WITH ORDINALITY AS e(value, n)
             CROSS JOIN LATERAL (SELECT event_order_id(e.value) AS order_id) i
             LEFT JOIN orders t ON t.order_id = i.order_id
        ORDER BY e.n
    LOOP
        o := event.known_order;
        IF o.order_id IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF027', MESSAGE = format('order %s does not exist', event.order_id);
        END IF;

        p := payment_of(o, event.payment_id);
        -- Told before, or by us, or overtaken by the same payment's completion.
        CONTINUE WHEN p.status IS NOT NULL AND p.status <> 'PENDING';

        p.payment_id := event.payment_id;
        p.amount := coalesce(p.amount, CASE WHEN event.value->>'amount' IS NOT NULL THEN event_amount(event.value) END);
        p.transaction_key := event.value->>'transactionKey';
        p.card_type := event.value->>'cardType';
        p.reason := event.value->>'reason';
        IF decline_payment(o, p, 'payment-failed', event_retryable(event.value), false) THEN
            failing := failing || o.order_id;
            reasons := reasons || coalesce(p.reason, 'PAYMENT_FAILED');
            messages := messages || format('payment "%s" failed', p.payment_id);
        ELSIF o.status = 'COMPLETED' THEN
            PERFORM note_ignored(ARRAY[o.order_id], 'payment-failed', jsonb_build_object('paymentId', p.payment_id));
        END IF;
    END LOOP;

    PERFORM end_orders(failing, array_fill('PAYMENT'::text, ARRAY[cardinality(failing)]), reasons, messages,
                       'FAILED', 'payment-failed', true);
END
$$;
COMMENT ON FUNCTION holdfast.on_payment_failed_batch IS 'on_payment_failed for many messages at once.';

CREATE FUNCTION holdfast.on_payment_failed(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_payment_failed_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_payment_failed IS
    'Records the payment and fails the order, which publishes order-failed, when no other payment of it is PENDING or COMPLETED and no other attempt may follow: the event''s retryable says so, else an order whose payments are begun with begin_payment waits for the next one. Nothing more than the record for an order that has ended or was paid otherwise; nothing at all for a payment that has an outcome, so fail_payment''s own event comes back without effect. Publishes payment-event, and never payment-failed again. HF027 the order is not there yet.';

-- Part 58: how orders follow their sagas.  saga_advance() takes them forward, saga_end() decides what has to be
-- undone when one ends otherwise.  Everything here holds the order's lock.
--
-- A user's procedure never runs with the extension owner's rights, so never here but in saga_sweep() (part 61),
-- which runs with those of its caller, the relay.  What needs none is undone at once by end_orders().

-- ---- Forward ----------------------------------------------------------------------------------

CREATE FUNCTION holdfast.event_saga_command_v1(
    event_id uuid, o holdfast.orders, step text, attempt int)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'SagaCommand',
        'schemaVersion', 1,
        'occurredAt', event_time(clock_timestamp()),
        'traceId', o.trace_id,
        'orderId', o.order_id,
        'userId', o.user_id,
        'lines', (SELECT json_agg(json_build_object('productId', l.product_id, 'quantity', l.quantity,
                                                    'unitPrice', l.unit_price) ORDER BY l.line_no)
                  FROM order_line l WHERE l.order_id = o.order_id),
        'amount', o.final_total_amount,
        'currency', o.currency,
        'step', step,
        'attempt', attempt,
        'idempotencyKey', format('%s-%s', o.order_id, step)));
END
$$;
COMMENT ON FUNCTION holdfast.event_saga_command_v1 IS
    'The payload of a step''s command; whoever carries it out does so once per idempotencyKey and answers with an event that has the orderId.';

CREATE FUNCTION holdfast.event_saga_alert_v1(
    event_id uuid, kind text, order_id bigint, saga text, step text, since timestamptz, attempts int,
    last_error text, trace_id text)
RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', kind,
        'schemaVersion', 1,
        'occurredAt', event_time(clock_timestamp()),
        'traceId', trace_id,
        'orderId', order_id,
        'saga', saga,
        'step', step,
        'since', event_time(since),
        'attempts', attempts,
        'lastError', last_error));
END
$$;
COMMENT ON FUNCTION holdfast.event_saga_alert_v1 IS 'The payload of a saga-alerts event; kind is SagaStuck or CompensationFailed.';

CREATE FUNCTION holdfast.saga_alert(o holdfast.orders, kind text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    event_id uuid := uuid_v7();
    i saga_instance;
BEGIN
    SELECT * INTO STRICT i FROM saga_instance t WHERE t.order_id = o.order_id;
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    VALUES (event_id, 'saga-alerts', o.order_id::text, kind,
            event_saga_alert_v1(event_id, kind, o.order_id, i.saga, i.step, i.updated_at, i.attempts, i.last_error, o.trace_id),
            trace_headers(o.traceparent));
END
$$;
COMMENT ON FUNCTION holdfast.saga_alert IS 'Publishes that a saga needs a person: its instance as it is now.';

CREATE FUNCTION holdfast.saga_command(o holdfast.orders, command text, step text, attempt int) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    event_id uuid := uuid_v7();
BEGIN
    IF command IS NOT NULL THEN
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
        VALUES (event_id, command, o.order_id::text, 'SagaCommand', event_saga_command_v1(event_id, o, step, attempt),
                trace_headers(o.traceparent));
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.saga_command IS 'Publishes the command of a step, if it has one.';

CREATE FUNCTION holdfast.saga_log(
    order_id bigint, step text, direction text, status text, event_id text DEFAULT NULL, error text DEFAULT NULL)
RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := clock_timestamp();
BEGIN
    IF saga_log.status NOT IN ('PENDING', 'STARTED') THEN
        UPDATE saga_instance_step s
        SET status = saga_log.status, ended_at = at, error = coalesce(saga_log.error, s.error),
            started_at = CASE s.status WHEN 'PENDING' THEN at ELSE s.started_at END, attempts = greatest(s.attempts, 1),
            event_id = coalesce(saga_log.event_id, s.event_id)
        WHERE s.order_id = saga_log.order_id AND s.step = saga_log.step AND s.direction = saga_log.direction
          AND s.ended_at IS NULL;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    INSERT INTO saga_instance_step (order_id, seq, step, direction, status, attempts, event_id, started_at, ended_at, error)
    SELECT saga_log.order_id, coalesce(max(s.seq), 0) + 1, saga_log.step, saga_log.direction, saga_log.status,
           CASE saga_log.status WHEN 'PENDING' THEN 0 ELSE 1 END, saga_log.event_id, at,
           CASE WHEN saga_log.status NOT IN ('PENDING', 'STARTED') THEN at END, saga_log.error
    FROM saga_instance_step s WHERE s.order_id = saga_log.order_id;
END
$$;
COMMENT ON FUNCTION holdfast.saga_log IS 'A step begins or ends: a row of saga_instance_step.';

CREATE FUNCTION holdfast.event_inventory_reserved_v1(event_id uuid, o holdfast.orders) RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN json_strip_nulls(json_build_object(
        'eventId', event_id,
        'eventType', 'InventoryReserved',
        'schemaVersion', 1,
        'occurredAt', event_time(clock_timestamp()),
        'traceId', o.trace_id,
        'orderId', o.order_id,
        'userId', o.user_id,
        'lines', (SELECT json_agg(json_build_object('productId', l.product_id, 'quantity', l.quantity) ORDER BY l.line_no)
                  FROM order_line l WHERE l.order_id = o.order_id),
        'amount', o.final_total_amount,
        'currency', o.currency,
        'expiresAt', event_time(o.expires_at)));
END
$$;
COMMENT ON FUNCTION holdfast.event_inventory_reserved_v1 IS
    'The payload of an inventory-reserved event of an order that was not reserved by place_order, or is published again.';

CREATE FUNCTION holdfast.reserve_orders(order_ids bigint[], publishing bigint[])
RETURNS TABLE (order_id bigint, reason text, message text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    session_trace_id text := current_setting('holdfast.trace_id', true);
    inventory_events boolean := current_setting('holdfast.inventory_events')::boolean;
    products bigint[];
    free bigint[];
    granted bigint[] := '{}';
    line record;
    product record;
    after stock;
    stock_after stock[] := '{}';
BEGIN
    SELECT array_agg(s.product_id), array_agg(s.available) INTO products, free
    FROM (SELECT s.product_id, s.on_hand - s.reserved - s.safety_stock AS available
          FROM stock s
          WHERE s.product_id = ANY (ARRAY(SELECT DISTINCT l.product_id FROM order_line l
                                          WHERE l.order_id = ANY (reserve_orders.order_ids)))
          ORDER BY s.product_id FOR NO KEY UPDATE) s;

    -- First come, first served: in the order of the argument.
    FOREACH order_id IN ARRAY reserve_orders.order_ids LOOP
        reason := NULL;
        message := NULL;
        FOR line IN
            SELECT l.product_id, l.quantity, array_position(products, l.product_id) AS place
            FROM order_line l WHERE l.order_id = reserve_orders.order_id ORDER BY l.product_id
        LOOP
            IF line.place IS NULL THEN
                reason := 'UNKNOWN_PRODUCT';
                message := format('product %s does not exist', line.product_id);
                EXIT;
            ELSIF free[line.place] < line.quantity THEN
                reason := 'OUT_OF_STOCK';
                message := format('product %s has %s available, %s requested', line.product_id,
                                  greatest(free[line.place], 0), line.quantity);
                EXIT;
            END IF;
        END LOOP;
        IF reason IS NULL THEN
            granted := granted || order_id;
            FOR line IN
                SELECT l.quantity, array_position(products, l.product_id) AS place
                FROM order_line l WHERE l.order_id = reserve_orders.order_id
            LOOP
                free[line.place] := free[line.place] - line.quantity;
            END LOOP;
        END IF;
        RETURN NEXT;
    END LOOP;

    -- An order with a saga is held until its saga says otherwise.
    INSERT INTO reservation (order_id, product_id, quantity, state, expires_at)
    SELECT l.order_id, l.product_id, l.quantity, 'HELD', CASE WHEN o.saga IS NULL THEN o.expires_at END
    FROM order_line l JOIN orders o ON o.order_id = l.order_id
    WHERE l.order_id = ANY (granted) AND o.order_id = ANY (granted);

    FOR product IN
        SELECT l.product_id, sum(l.quantity)::bigint AS quantity, count(*) AS changes
        FROM order_line l WHERE l.order_id = ANY (granted)
        GROUP BY l.product_id ORDER BY l.product_id
    LOOP
        UPDATE stock s
        SET reserved = s.reserved + product.quantity, version = s.version + product.changes, updated_at = now()
        WHERE s.product_id = product.product_id
        RETURNING * INTO STRICT after;
        stock_after := stock_after || after;
    END LOOP;

    IF granted && publishing THEN
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
        SELECT e.event_id, 'inventory-reserved', e.order_id::text, 'InventoryReserved',
               event_inventory_reserved_v1(e.event_id, e.known_order), trace_headers(e.traceparent)
        FROM (SELECT uuid_v7() AS event_id, o.*
              FROM (SELECT o AS known_order, o.order_id, o.traceparent FROM orders o JOIN unnest(granted) WITH ORDINALITY AS g(id, n) ON g.id = o.order_id
                    WHERE o.order_id = ANY (granted) AND o.order_id = ANY (publishing) ORDER BY g.n) o) e;
    END IF;

    IF inventory_events THEN
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
        SELECT e.event_id, 'inventory-updated', e.product_id::text, 'InventoryUpdated',
               event_inventory_updated_v1(e.event_id, e.product_id, e.on_hand, e.reserved,
                   e.on_hand - e.reserved - e.safety_stock, e.version, 'RESERVE', e.order_id),
               trace_headers(e.traceparent)
        FROM (SELECT u.*, uuid_v7() AS event_id,
                     set_config('holdfast.trace_id', coalesce(u.trace_id, ''), true)
              FROM (SELECT s.product_id, l.order_id, s.on_hand, s.safety_stock, o.trace_id, o.traceparent,
                           s.reserved - coalesce(sum(l.quantity) OVER later, 0)::bigint AS reserved,
                           s.version - count(*) OVER later AS version
                    FROM unnest(granted) WITH ORDINALITY AS g(id, n)
                         JOIN order_line l ON l.order_id = g.id
                         JOIN unnest(stock_after) AS s ON s.product_id = l.product_id
                         JOIN orders o ON o.order_id = g.id
                    WHERE l.order_id = ANY (granted) AND o.order_id = ANY (granted)
                    WINDOW later AS (PARTITION BY l.product_id ORDER BY g.n
                                     ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
                    ORDER BY l.product_id, g.n) u) e;
        PERFORM set_config('holdfast.trace_id', coalesce(session_trace_id, ''), true);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.reserve_orders IS
    'Takes the stock of orders that are locked and hold nothing, all lines of an order or none, first come first served. One row per order; reason NULL: it is HELD. publishing: those of them that inventory-reserved is published for.';

CREATE FUNCTION holdfast.saga_advance(order_ids bigint[], cause text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    entering bigint[] := saga_advance.order_ids;
    done bigint[];
    reserving bigint[];
    publishing bigint[];
    onward bigint[];
    next record;
    result record;
    refused bigint[];
    reasons text[];
    messages text[];
BEGIN
    -- Round by round, so that all orders that take stock take it together, in ascending order of product; and
    -- they may come to that in different rounds.
    IF cardinality(entering) > 1 THEN
        PERFORM lock_stock_of(ARRAY(
            SELECT i.order_id FROM saga_instance i
                JOIN saga_definition d ON d.saga = i.saga AND d.version = i.version AND d.step_no > i.step_no
            WHERE i.order_id = ANY (entering) AND d.kind = 'reserve'));
    END IF;
    WHILE cardinality(entering) > 0 LOOP
        done := '{}';
        reserving := '{}';
        publishing := '{}';
        onward := '{}';
        refused := '{}';
        reasons := '{}';
        messages := '{}';
        FOR next IN
            SELECT o AS known_order, o.order_id, o.final_total_amount, o.expires_at, d.step_no, d.step, d.kind, d.command,
                   d.timeout, i.step_no AS before,
                   EXISTS (SELECT FROM saga_definition p
                           WHERE p.saga = i.saga AND p.version = i.version AND p.step_no > d.step_no
                             AND p.kind = 'payment') AS is_paid_later
            FROM unnest(entering) WITH ORDINALITY AS e(order_id, n)
                 JOIN orders o ON o.order_id = e.order_id
                 JOIN saga_instance i ON i.order_id = e.order_id
                 LEFT JOIN saga_definition d
                     ON d.saga = i.saga AND d.version = i.version AND d.step_no = i.step_no + 1
            WHERE o.order_id = ANY (entering) AND i.order_id = ANY (entering)
            ORDER BY e.n
        LOOP
            IF next.step IS NULL THEN
                done := done || next.order_id;
                UPDATE saga_instance i
                SET state = 'COMPLETED', step = NULL, step_no = next.before + 1, deadline = NULL, attempts = 0,
                    last_error = NULL, updated_at = now()
                WHERE i.order_id = next.order_id;
                CONTINUE;
            END IF;

            UPDATE saga_instance i
            SET step_no = next.step_no, step = next.step, attempts = 1, last_error = NULL, updated_at = now(),
                deadline = CASE next.kind WHEN 'reserve' THEN NULL
                                          WHEN 'payment' THEN coalesce(now() + next.timeout, next.expires_at)
                                          ELSE now() + next.timeout END
            WHERE i.order_id = next.order_id;
            IF next.kind = 'reserve' THEN
                reserving := reserving || next.order_id;
                -- To the payment service it says: charge.
                IF next.is_paid_later THEN
                    publishing := publishing || next.order_id;
                END IF;
            ELSIF next.kind = 'payment' AND (
                    SELECT coalesce(sum(p.amount), 0) >= next.final_total_amount AND count(*) > 0 FROM payment p
                    WHERE p.order_id = next.order_id AND p.status = 'COMPLETED') THEN
                PERFORM saga_log(next.order_id, next.step, 'FORWARD', 'DONE');
                onward := onward || next.order_id;
            ELSE
                PERFORM saga_log(next.order_id, next.step, 'FORWARD', 'STARTED');
                PERFORM saga_command(next.known_order, next.command, next.step, 1);
            END IF;
        END LOOP;

        IF cardinality(done) > 0 THEN
            PERFORM complete_orders(done, saga_advance.cause);
        END IF;
        FOR result IN SELECT r.* FROM reserve_orders(reserving, publishing) r LOOP
            PERFORM saga_log(result.order_id, i.step, 'FORWARD', CASE WHEN result.reason IS NULL THEN 'DONE' ELSE 'FAILED' END,
                             NULL, result.message)
            FROM saga_instance i WHERE i.order_id = result.order_id;
            IF result.reason IS NULL THEN
                onward := onward || result.order_id;
            ELSE
                refused := refused || result.order_id;
                reasons := reasons || result.reason;
                messages := messages || result.message;
            END IF;
        END LOOP;
        IF cardinality(refused) > 0 THEN
            PERFORM end_orders(refused, array_fill('RESERVE'::text, ARRAY[cardinality(refused)]), reasons, messages,
                               'FAILED', saga_advance.cause, true);
        END IF;
        entering := onward;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.saga_advance IS
    'Takes locked orders, whose instances are RUNNING and have the step that they are at behind them, to the next step that has to wait, or to their end.';

CREATE FUNCTION holdfast.saga_start(order_id bigint, saga text, version int) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    first saga_definition;
BEGIN
    SELECT * INTO STRICT first FROM saga_definition d
    WHERE d.saga = saga_start.saga AND d.version = saga_start.version AND d.step_no = 1;
    INSERT INTO saga_instance (order_id, saga, version, state, step_no)
    VALUES (saga_start.order_id, saga_start.saga, saga_start.version, 'RUNNING', 0);
    IF first.kind = 'reserve' THEN
        -- Taken with the order.  From here on the saga's deadlines hold, not the hold's own.
        UPDATE reservation r SET expires_at = NULL WHERE r.order_id = saga_start.order_id;
        UPDATE saga_instance i SET step_no = 1, step = first.step WHERE i.order_id = saga_start.order_id;
        PERFORM saga_log(saga_start.order_id, first.step, 'FORWARD', 'DONE');
    END IF;
    PERFORM saga_advance(ARRAY[saga_start.order_id], 'place_order');
END
$$;
COMMENT ON FUNCTION holdfast.saga_start IS
    'The saga of an order that was just written (and reserved, when its first step is that) begins; not for reserve_first.';

CREATE FUNCTION holdfast.orders_paid(order_ids bigint[], payment_ids text[], cause text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    plain bigint[];
    plain_payments text[];
    waiting record;
    onward bigint[] := '{}';
BEGIN
    SELECT array_agg(p.order_id ORDER BY p.n), array_agg(p.payment_id ORDER BY p.n) INTO plain, plain_payments
    FROM unnest(orders_paid.order_ids, payment_ids) WITH ORDINALITY AS p(order_id, payment_id, n)
         JOIN orders o ON o.order_id = p.order_id
    WHERE o.order_id = ANY (orders_paid.order_ids) AND o.saga IS NULL;
    IF plain IS NOT NULL THEN
        PERFORM complete_orders(plain, orders_paid.cause, plain_payments);
    END IF;

    IF cardinality(plain) IS DISTINCT FROM cardinality(orders_paid.order_ids) THEN
        -- An instance that is not at its payment step finds the order paid when it comes to it.
        FOR waiting IN
            SELECT i.order_id, i.step, p.payment_id
            FROM unnest(orders_paid.order_ids, payment_ids) WITH ORDINALITY AS p(order_id, payment_id, n)
                 JOIN saga_instance i ON i.order_id = p.order_id
                 JOIN saga_definition d ON d.saga = i.saga AND d.version = i.version AND d.step_no = i.step_no
            WHERE i.order_id = ANY (orders_paid.order_ids) AND i.state = 'RUNNING' AND d.kind = 'payment'
            ORDER BY p.n
        LOOP
            PERFORM saga_log(waiting.order_id, waiting.step, 'FORWARD', 'DONE');
            UPDATE saga_instance i SET last_event = format('%s %s', orders_paid.cause, waiting.payment_id)
            WHERE i.order_id = waiting.order_id;
            onward := onward || waiting.order_id;
        END LOOP;
        PERFORM saga_advance(onward, orders_paid.cause);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.orders_paid IS
    'Locked PENDING orders are paid in full: those of reserve_first are COMPLETED, the others go on.';

-- ---- Back -------------------------------------------------------------------------------------

CREATE FUNCTION holdfast.saga_end(
    order_ids bigint[], steps text[], reasons text[], messages text[], new_status text, cause text, publish boolean)
RETURNS bigint[]
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    running record;
    back record;
    held_back bigint[] := '{}';
    needs_caller boolean;
BEGIN
    FOR running IN
        SELECT DISTINCT ON (a.order_id) i.*, a.end_step, a.end_reason, a.end_message,
               EXISTS (SELECT FROM saga_instance_step s
                            JOIN saga_definition d ON d.saga = i.saga AND d.version = i.version AND d.step = s.step
                       WHERE s.order_id = i.order_id AND s.direction = 'FORWARD' AND s.status = 'DONE'
                         AND d.pivot) AS is_past_pivot
        FROM unnest(saga_end.order_ids, steps, reasons, messages) WITH ORDINALITY
                 AS a(order_id, end_step, end_reason, end_message, n)
             JOIN orders o ON o.order_id = a.order_id
             JOIN saga_instance i ON i.order_id = a.order_id
        WHERE o.order_id = ANY (saga_end.order_ids) AND i.order_id = ANY (saga_end.order_ids)
          AND o.status = 'PENDING' AND o.saga IS NOT NULL
        ORDER BY a.order_id, a.n
    LOOP
        IF running.state <> 'RUNNING' OR running.is_past_pivot THEN
            held_back := held_back || running.order_id;
            PERFORM note_ignored(ARRAY[running.order_id], cause,
                                 jsonb_build_object('saga', CASE WHEN running.state = 'RUNNING' THEN 'past its pivot'
                                                                 ELSE running.state END));
            CONTINUE;
        END IF;

        -- A step whose outcome nobody knows is undone too; one that has failed did nothing.
        FOR back IN
            SELECT d.step, d.kind
            FROM saga_definition d
                 CROSS JOIN LATERAL (SELECT s.status FROM saga_instance_step s
                                     WHERE s.order_id = running.order_id AND s.step = d.step AND s.direction = 'FORWARD'
                                     ORDER BY s.seq DESC LIMIT 1) s
            WHERE d.saga = running.saga AND d.version = running.version
              AND (s.status = 'DONE' OR s.status = 'STARTED' AND d.kind = 'event')
              AND (d.kind <> 'event' OR d.compensation IS NOT NULL)
            ORDER BY d.step_no DESC
        LOOP
            PERFORM saga_log(running.order_id, back.step, 'COMPENSATE', 'PENDING');
        END LOOP;
        UPDATE saga_instance_step s SET status = 'FAILED', ended_at = clock_timestamp(), error = running.end_reason
        WHERE s.order_id = running.order_id AND s.direction = 'FORWARD' AND s.status = 'STARTED';

        SELECT coalesce(bool_or(d.kind = 'event'), false) INTO needs_caller
        FROM saga_instance_step s JOIN saga_definition d
             ON d.saga = running.saga AND d.version = running.version AND d.step = s.step
        WHERE s.order_id = running.order_id AND s.direction = 'COMPENSATE' AND s.status = 'PENDING';
        IF needs_caller THEN
            held_back := held_back || running.order_id;
        ELSE
            PERFORM saga_log(s.order_id, s.step, 'COMPENSATE', 'DONE') FROM saga_instance_step s
            WHERE s.order_id = running.order_id AND s.direction = 'COMPENSATE' AND s.status = 'PENDING' ORDER BY s.seq;
        END IF;
        UPDATE saga_instance i
        SET state = CASE WHEN needs_caller THEN 'COMPENSATING' ELSE 'COMPENSATED' END,
            deadline = CASE WHEN needs_caller THEN now() END,
            step = CASE WHEN needs_caller THEN i.step END,
            -- An event of a step has left its type there.
            attempts = 0, last_event = CASE cause WHEN 'saga event' THEN i.last_event ELSE cause END, last_error = coalesce(running.end_message, running.end_reason),
            ending = jsonb_build_object('status', new_status, 'step', running.end_step, 'reason', running.end_reason,
                                        'message', running.end_message, 'cause', cause, 'publish', publish),
            updated_at = now()
        WHERE i.order_id = running.order_id;
    END LOOP;
    RETURN held_back;
END
$$;
COMMENT ON FUNCTION holdfast.saga_end IS
    'internal to end_orders: the sagas among these locked orders turn back. Returns the orders that may not end yet: a procedure of the user''s has to undo a step of theirs first, or they are past their pivot.';

CREATE FUNCTION holdfast.saga_detail(o holdfast.orders, verb text) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    i saga_instance;
BEGIN
    SELECT * INTO i FROM saga_instance s WHERE s.order_id = o.order_id;
    IF i.state = 'RUNNING' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s is past the pivot of its saga %s and cannot be %s', o.order_id, i.saga, verb),
            HINT = 'It goes forward, or ends by saga_resolve.';
    END IF;
    -- Turning back since an earlier call: the first reason stands.
    RETURN jsonb_build_object('saga', i.state, 'failedStep', i.ending->'step', 'reason', i.ending->'reason');
END
$$;
COMMENT ON FUNCTION holdfast.saga_detail IS
    'What fail_order and cancel_order answer about the saga of an order that they were to end; HF008 when it went on instead.';

CREATE FUNCTION holdfast.saga_end_order(o holdfast.orders, i holdfast.saga_instance) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM end_orders(ARRAY[o.order_id], ARRAY[i.ending->>'step'], ARRAY[i.ending->>'reason'], ARRAY[i.ending->>'message'],
                       i.ending->>'status', i.ending->>'cause', (i.ending->>'publish')::boolean, through_saga => true);
END
$$;
COMMENT ON FUNCTION holdfast.saga_end_order IS 'internal: ends an order as its saga, which is turning back, was told to.';

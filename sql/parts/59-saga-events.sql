-- Part 59: what sagas hear from elsewhere.  on_order_created() is for a database that holds the stock of
-- orders which another one has placed; on_inventory_reserved() and on_saga_event() tell a saga that a step
-- of its orders is done, or failed, elsewhere.

CREATE FUNCTION holdfast.order_created_problem(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN CASE
        WHEN jsonb_typeof(value->'userId') IS DISTINCT FROM 'number' OR value->>'userId' !~ '^-?[0-9]{1,18}$' THEN
            'userId must be an integer'
        WHEN value->>'currency' IS NULL OR value->>'currency' !~ '^[A-Z]{3}$' THEN 'currency must have three letters'
        WHEN EXISTS (SELECT FROM unnest(ARRAY['originalTotalAmount', 'discountAmount', 'finalTotalAmount']) AS m(name)
                     WHERE coalesce(value->>m.name, CASE m.name WHEN 'discountAmount' THEN '0' ELSE '' END) !~ '^[0-9]{1,18}$') THEN
            'originalTotalAmount, discountAmount and finalTotalAmount must be whole numbers of minor units'
        WHEN jsonb_typeof(value->'lines') IS DISTINCT FROM 'array' OR value->'lines' = '[]' THEN 'lines must be an array of objects'
        WHEN EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(value->'lines') WHEN 'array' THEN value->'lines' END) AS l(line)
                     WHERE coalesce(l.line->>'productId', '') !~ '^-?[0-9]{1,18}$'
                        OR coalesce(l.line->>'quantity', '') !~ '^[1-9][0-9]{0,17}$'
                        OR coalesce(l.line->>'unitPrice', '') !~ '^[0-9]{1,18}$'
                        OR coalesce(l.line->>'discountAmount', '0') !~ '^[0-9]{1,18}$') THEN
            'a line must have productId, a positive quantity and unitPrice'
        END;
COMMENT ON FUNCTION holdfast.order_created_problem(jsonb) IS 'What is wrong with an order-created event besides its orderId; NULL: nothing.';

CREATE FUNCTION holdfast.on_order_created_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    -- uuid_v7() loads the library, and with it the settings.
    loaded uuid := uuid_v7();
    hold interval := current_setting('holdfast.hold_ttl')::interval;
    session_saga text := current_setting('holdfast.saga');
    order_ids bigint[];
    id bigint;
    event record;
    chosen text;
    plan_version int;
    stock_taking text;
    reserving bigint[] := '{}';
    starting record;
    refused record;
BEGIN
    SELECT array_agg(event_order_id(e.value) ORDER BY e.n) INTO order_ids
    FROM unnest("values") WITH ORDINALITY AS e(value, n);
    IF order_ids IS NULL THEN
        RETURN;
    END IF;
    -- Before a tombstone for it can be made, or its order placed here.
    FOR id IN SELECT DISTINCT i FROM unnest(order_ids) i ORDER BY i LOOP
        PERFORM lock_order_id(id);
    END LOOP;
    PERFORM FROM orders t WHERE t.order_id = ANY (order_ids) ORDER BY t.order_id FOR NO KEY UPDATE;

    FOR event IN
        SELECT order_ids[e.n] AS order_id, e.value, order_created_problem(e.value) AS problem,
               e.headers->>'traceparent' AS traceparent, t.order_id AS known, t.user_id, t.final_total_amount,
               s.order_id AS buried, s.step, s.reason, s.message
        FROM unnest("values", headers) WITH ORDINALITY AS e(value, headers, n)
             LEFT JOIN orders t ON t.order_id = order_ids[e.n]
             LEFT JOIN order_tombstone s ON s.order_id = order_ids[e.n]
        ORDER BY e.n
    LOOP
        IF event.problem IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = format('order-created of order %s: %s', event.order_id, event.problem);
        END IF;
        -- Our own event, or a repetition; another order of this id is not to be taken for it.
        IF event.known IS NOT NULL THEN
            IF (event.user_id, event.final_total_amount) IS DISTINCT FROM
               ((event.value->>'userId')::bigint, (event.value->>'finalTotalAmount')::bigint) THEN
                RAISE EXCEPTION USING ERRCODE = 'HF006',
                    MESSAGE = format('order %s exists already and is another', event.order_id);
            END IF;
            CONTINUE;
        END IF;
        CONTINUE WHEN event.order_id = ANY (reserving);

        chosen := CASE WHEN event.value->>'saga' = 'pay_first' THEN 'pay_first' ELSE nullif(session_saga, '') END;
        chosen := nullif(chosen, 'reserve_first');
        IF chosen IS NOT NULL AND event.buried IS NULL THEN
            SELECT p.version, p.stock_taking INTO plan_version, stock_taking FROM saga_plan(chosen) p;
            IF plan_version IS NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'HF009', MESSAGE = format('saga "%s" does not exist', chosen);
            END IF;
        END IF;
        INSERT INTO orders (order_id, user_id, status, currency, original_total_amount, discount_amount, final_total_amount,
                            failure_step, failure_reason, failure_message, trace_id, traceparent, expires_at, saga,
                            placed_elsewhere)
        VALUES (event.order_id, (event.value->>'userId')::bigint, CASE WHEN event.buried IS NULL THEN 'PENDING' ELSE 'FAILED' END,
                event.value->>'currency', (event.value->>'originalTotalAmount')::bigint,
                coalesce((event.value->>'discountAmount')::bigint, 0), (event.value->>'finalTotalAmount')::bigint,
                event.step, event.reason, event.message, left(event.value->>'traceId', 128), event.traceparent,
                CASE WHEN event.buried IS NULL THEN now() + hold END, CASE WHEN event.buried IS NULL THEN chosen END,
                true)
        ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO order_line (order_id, line_no, product_id, quantity, unit_price, discount_amount)
        SELECT event.order_id, row_number() OVER (ORDER BY l.product_id), l.product_id, l.quantity, l.unit_price, l.discount_amount
        FROM (SELECT (l->>'productId')::bigint AS product_id, sum((l->>'quantity')::bigint)::bigint AS quantity,
                     max((l->>'unitPrice')::bigint) AS unit_price,
                     sum(coalesce((l->>'discountAmount')::bigint, 0))::bigint AS discount_amount
              FROM jsonb_array_elements(event.value->'lines') l GROUP BY 1) l;
        IF event.buried IS NOT NULL THEN
            PERFORM note_ignored(ARRAY[event.order_id], 'order-created', jsonb_build_object('reason', event.reason));
        ELSIF chosen IS NULL OR stock_taking = 'first' THEN
            reserving := reserving || event.order_id;
        ELSE
            PERFORM saga_start(event.order_id, chosen, plan_version);
        END IF;
    END LOOP;

    IF cardinality(reserving) = 0 THEN
        RETURN;
    END IF;
    SELECT array_agg(r.order_id) FILTER (WHERE r.reason IS NULL) AS granted,
           array_agg(r.order_id) FILTER (WHERE r.reason IS NOT NULL) AS orders,
           array_agg(r.reason) FILTER (WHERE r.reason IS NOT NULL) AS reasons,
           array_agg(r.message) FILTER (WHERE r.reason IS NOT NULL) AS messages
    INTO refused
    FROM reserve_orders(reserving, reserving) r;
    FOR starting IN
        SELECT o.order_id, o.saga, p.version
        FROM orders o CROSS JOIN LATERAL saga_plan(o.saga) p
        WHERE o.order_id = ANY (refused.granted) AND o.saga IS NOT NULL ORDER BY o.order_id
    LOOP
        PERFORM saga_start(starting.order_id, starting.saga, starting.version);
    END LOOP;
    IF refused.orders IS NOT NULL THEN
        UPDATE orders o SET saga = NULL WHERE o.order_id = ANY (refused.orders) AND o.saga IS NOT NULL;
        PERFORM end_orders(refused.orders, array_fill('RESERVE'::text, ARRAY[cardinality(refused.orders)]),
                           refused.reasons, refused.messages, 'FAILED', 'order-created', true);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.on_order_created_batch IS 'on_order_created for many messages at once: each stock row is updated once.';

CREATE FUNCTION holdfast.on_order_created(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_order_created_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_order_created IS
    'For a database that holds the stock of orders placed elsewhere: takes the stock and publishes inventory-reserved, or fails the order and publishes order-failed (OUT_OF_STOCK, UNKNOWN_PRODUCT). The order is kept here with the id, prices and totals of the event; the ids must be those of one database only, which also publishes order-events and payment-event. Its saga is pay_first when the event says so, else holdfast.saga of this session. Nothing for an order that is known; an order whose order-failed came first is FAILED and takes nothing.';

CREATE FUNCTION holdfast.saga_hear(onward bigint[], failing bigint[], steps text[], reasons text[], messages text[])
RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF cardinality(onward) > 0 AND cardinality(failing) > 0 THEN
        PERFORM lock_stock_of(onward || failing);
    END IF;
    PERFORM saga_advance(onward, 'saga event');
    PERFORM end_orders(failing, steps, reasons, messages, 'FAILED', 'saga event', true);
END
$$;
COMMENT ON FUNCTION holdfast.saga_hear IS 'internal to on_saga_event: what a batch of events means, for the orders whose step is done and those whose step failed.';

CREATE FUNCTION holdfast.on_saga_event_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
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
    i saga_instance;
    d saga_definition;
    has_failed boolean;
    why text;
    onward bigint[] := '{}';
    failing bigint[] := '{}';
    steps text[] := '{}';
    reasons text[] := '{}';
    messages text[] := '{}';
BEGIN
    order_ids := lock_orders_of("values");
    IF order_ids IS NULL THEN
        RETURN;
    END IF;

    FOR event IN
        SELECT order_ids[e.n] AS order_id, e.value, t AS known_order,
               coalesce(e.value->>'eventType', e.headers->>'eventType') AS type,
               coalesce(nullif(e.headers->>'id', ''), e.value->>'eventId') AS event_id
        FROM unnest("values", headers) WITH ORDINALITY AS e(value, headers, n)
             LEFT JOIN orders t ON t.order_id = order_ids[e.n]
        ORDER BY e.n
    LOOP
        o := event.known_order;
        IF o.order_id IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF027', MESSAGE = format('order %s does not exist', event.order_id);
        END IF;
        -- An order of reserve_first hears here what it has said itself.
        CONTINUE WHEN o.saga IS NULL;
        -- An event of this batch may have moved it.
        IF o.order_id = ANY (onward || failing) THEN
            PERFORM saga_hear(onward, failing, steps, reasons, messages);
            onward := '{}';
            failing := '{}';
            steps := '{}';
            reasons := '{}';
            messages := '{}';
            SELECT * INTO STRICT o FROM orders t WHERE t.order_id = event.order_id;
        END IF;
        SELECT * INTO STRICT i FROM saga_instance s WHERE s.order_id = o.order_id;
        SELECT * INTO d FROM saga_definition t
        WHERE t.saga = i.saga AND t.version = i.version AND event.type IN (t.completes_on, t.fails_on);
        IF NOT FOUND THEN
            -- A saga with a reserve step of its own hears its own inventory-reserved.
            CONTINUE WHEN event.type = 'InventoryReserved';
            RAISE EXCEPTION USING ERRCODE = 'HF001',
                MESSAGE = format('no step of saga %s version %s waits for an event of type "%s"', i.saga, i.version,
                                 coalesce(event.type, ''));
        END IF;
        has_failed := coalesce(event.type = d.fails_on, false);

        IF i.state = 'RUNNING' AND i.step_no < d.step_no THEN
            RAISE EXCEPTION USING ERRCODE = 'HF027',
                MESSAGE = format('order %s is at step %s and not yet at %s', o.order_id, i.step, d.step);
        ELSIF i.state <> 'RUNNING' OR i.step_no > d.step_no THEN
            PERFORM note_ignored(ARRAY[o.order_id], event.type, jsonb_build_object('step', d.step, 'saga', i.state));
            CONTINUE;
        END IF;

        why := coalesce(event.value->>'reason', event.type);
        PERFORM saga_log(o.order_id, d.step, 'FORWARD', CASE WHEN has_failed THEN 'FAILED' ELSE 'DONE' END, event.event_id,
                         CASE WHEN has_failed THEN why END);
        UPDATE saga_instance s
        SET last_event = event.type, deadline = NULL, updated_at = now(), last_error = CASE WHEN has_failed THEN why END
        WHERE s.order_id = o.order_id;
        IF NOT has_failed THEN
            onward := onward || o.order_id;
        ELSIF EXISTS (SELECT FROM saga_instance_step s JOIN saga_definition t
                          ON t.saga = i.saga AND t.version = i.version AND t.step = s.step
                      WHERE s.order_id = o.order_id AND s.direction = 'FORWARD' AND s.status = 'DONE' AND t.pivot) THEN
            PERFORM saga_alert(o, 'SagaStuck');
        ELSE
            failing := failing || o.order_id;
            steps := steps || upper(d.step);
            reasons := reasons || why;
            messages := messages || coalesce(event.value->>'message', format('step %s failed', d.step));
        END IF;
    END LOOP;
    PERFORM saga_hear(onward, failing, steps, reasons, messages);
END
$$;
COMMENT ON FUNCTION holdfast.on_saga_event_batch IS 'on_saga_event for many messages at once.';

CREATE FUNCTION holdfast.on_saga_event(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_saga_event_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_saga_event IS
    'Tells the saga of an order (orderId) that the step which waits for this type of event (eventType of the payload, else of the headers) is done, or failed with its reason. Kept and tried again while the order is not there, or not at that step, yet (HF027); noted in the history of an order that is past it. HF001 no step of its saga waits for such an event.';

CREATE FUNCTION holdfast.on_inventory_reserved(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_saga_event_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_inventory_reserved IS
    'on_saga_event for inventory-reserved: for a database whose orders take their stock elsewhere (saga reserve_remote). Nothing for orders that took it here.';

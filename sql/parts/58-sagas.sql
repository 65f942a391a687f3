-- Part 58: sagas as data.  A definition is a list of steps; an order follows the newest version of its
-- saga from beginning to end.  saga_advance() takes orders forward, saga_end() decides what has to be
-- undone when one ends otherwise, saga_sweep() does what is due: timeouts, steps back that need a
-- procedure of the user's, and messages that came too early.  Everything here holds the order's lock.
--
-- A user's procedure never runs with the extension owner's rights, so never here but in saga_sweep(),
-- which runs with those of its caller, the relay.  What needs none is undone at once by end_orders().

-- ---- Definitions ------------------------------------------------------------------------------

CREATE FUNCTION holdfast.saga_step_problem(step jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    kind text := coalesce(step->>'kind', 'event');
    unknown text;
BEGIN
    IF jsonb_typeof(step) <> 'object' THEN
        RETURN 'must be an object';
    END IF;
    SELECT k INTO unknown FROM jsonb_object_keys(step) k
    WHERE k NOT IN ('step', 'kind', 'command', 'completesOn', 'failsOn', 'compensation', 'timeout', 'onTimeout',
                    'maxAttempts', 'pivot')
    ORDER BY k LIMIT 1;
    IF unknown IS NOT NULL THEN
        RETURN format('has an unknown member "%s"', unknown);
    END IF;
    IF EXISTS (SELECT FROM jsonb_each(step) m
               WHERE m.key IN ('step', 'kind', 'command', 'completesOn', 'failsOn', 'compensation', 'timeout', 'onTimeout')
                 AND jsonb_typeof(m.value) <> 'string') THEN
        RETURN 'has a member that must be a string and is not';
    END IF;
    BEGIN
        IF (step->>'timeout')::interval <= interval '0' THEN
            RETURN format('has timeout "%s", which is not positive', step->>'timeout');
        END IF;
    EXCEPTION WHEN data_exception THEN
        RETURN format('has timeout "%s", which is no interval', step->>'timeout');
    END;
    RETURN CASE
        WHEN coalesce(step->>'step', '') !~ '^[a-z][a-z0-9_]{0,62}$' THEN
            'needs a name: "step", of lowercase letters, digits and underscores'
        WHEN kind NOT IN ('reserve', 'payment', 'event') THEN format('has kind "%s"; the kinds are reserve, payment and event', kind)
        WHEN kind = 'event' AND coalesce(step->>'completesOn', '') = '' THEN 'needs completesOn, the type of the event that completes it'
        WHEN kind <> 'event' AND step ?| '{completesOn,failsOn,compensation}' THEN
            format('is a %s step, which needs no completesOn, failsOn or compensation', kind)
        WHEN kind = 'reserve' AND step ?| '{command,timeout,onTimeout,maxAttempts}' THEN
            'is a reserve step, which is done at once: command, timeout, onTimeout and maxAttempts are not for it'
        WHEN step->>'completesOn' = step->>'failsOn' THEN 'has one event type for completesOn and failsOn'
        WHEN step ? 'command' AND (step->>'command' !~ '^[a-zA-Z0-9._-]{1,249}$' OR step->>'command' IN ('.', '..')) THEN
            format('has command "%s", which is no topic name', step->>'command')
        WHEN step ? 'onTimeout' AND step->>'onTimeout' NOT IN ('retry', 'compensate', 'alert') THEN
            format('has onTimeout "%s"; it is retry, compensate or alert', step->>'onTimeout')
        WHEN step->>'onTimeout' = 'retry' AND NOT step ? 'command' THEN 'has onTimeout retry and no command to publish again'
        WHEN kind = 'event' AND step ? 'onTimeout' AND NOT step ? 'timeout' THEN 'has onTimeout and no timeout'
        WHEN step ? 'maxAttempts' AND (jsonb_typeof(step->'maxAttempts') <> 'number' OR step->>'maxAttempts' !~ '^[1-9][0-9]{0,5}$') THEN
            'has maxAttempts that is not a positive integer'
        WHEN step ? 'pivot' AND jsonb_typeof(step->'pivot') <> 'boolean' THEN 'has pivot that is not true or false'
        END;
END
$$;
COMMENT ON FUNCTION holdfast.saga_step_problem(jsonb) IS 'internal to register_saga: what is wrong with one step of a definition; NULL: nothing.';

CREATE FUNCTION holdfast.saga_procedure(name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    found_name text;
BEGIN
    -- By the catalogue: the owner of this function may not look into the user's schema.
    SELECT format('%I.%I', n.nspname, p.proname) INTO found_name
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE ARRAY[n.nspname, p.proname]::text[] = parse_ident(saga_procedure.name) AND p.prokind IN ('f', 'p')
      AND p.proargtypes::text = format('%s %s', 'bigint'::regtype::oid, 'jsonb'::regtype::oid);
    IF found_name IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF025',
            MESSAGE = format('compensation %s(bigint, jsonb) does not exist', saga_procedure.name),
            HINT = 'Name a function or procedure with its schema; its arguments are (order_id bigint, context jsonb).';
    END IF;
    RETURN found_name;
END
$$;
COMMENT ON FUNCTION holdfast.saga_procedure(text) IS 'The qualified name of a compensation; HF025 when there is none.';

CREATE FUNCTION holdfast.register_saga(name text, steps jsonb) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    problem text;
    newest int;
    new_version int;
BEGIN
    IF register_saga.name IS NULL OR register_saga.steps IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'name and steps of a saga must not be null';
    END IF;
    IF register_saga.name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s": a name has 1 to 63 lowercase letters, digits and underscores', register_saga.name);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('holdfast.register_saga', 0));
    IF EXISTS (SELECT FROM saga_definition d WHERE d.saga = register_saga.name AND d.built_in) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s" is built in and stays as it is', register_saga.name),
            HINT = 'Register yours under another name and make it the default: ALTER DATABASE ... SET holdfast.saga = ...';
    END IF;
    IF jsonb_typeof(register_saga.steps) <> 'array' OR register_saga.steps = '[]' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s": steps must be an array with at least one step', register_saga.name);
    END IF;

    SELECT format('step %s %s', s.n, p.problem) INTO problem
    FROM jsonb_array_elements(register_saga.steps) WITH ORDINALITY AS s(step, n)
         CROSS JOIN LATERAL (SELECT saga_step_problem(s.step)) AS p(problem)
    WHERE p.problem IS NOT NULL ORDER BY s.n LIMIT 1;
    IF problem IS NULL THEN
        SELECT CASE WHEN count(*) <> count(DISTINCT s->>'step') THEN 'two steps have one name'
                    WHEN count(*) FILTER (WHERE s->>'kind' = 'reserve') > 1 THEN 'there is more than one reserve step'
                    WHEN count(*) FILTER (WHERE s->>'kind' = 'payment') > 1 THEN 'there is more than one payment step'
                    WHEN count(*) FILTER (WHERE s->'pivot' = 'true') > 1 THEN 'there is more than one pivot' END
        INTO problem
        FROM jsonb_array_elements(register_saga.steps) s;
    END IF;
    IF problem IS NULL THEN
        SELECT format('event type "%s" is named twice', t.type) INTO problem
        FROM jsonb_array_elements(register_saga.steps) s
             CROSS JOIN LATERAL (VALUES (s->>'completesOn'), (s->>'failsOn')) AS t(type)
        WHERE t.type IS NOT NULL GROUP BY t.type HAVING count(*) > 1 ORDER BY t.type LIMIT 1;
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s": %s', register_saga.name, problem),
            HINT = 'An example is [{"step":"reserve","kind":"reserve"}, {"step":"payment","kind":"payment"}, {"step":"shipping","command":"shipping-requested","completesOn":"ShipmentBooked","failsOn":"ShipmentRefused","compensation":"shop.cancel_shipment","timeout":"1 hour","onTimeout":"retry","maxAttempts":3}].';
    END IF;

    SELECT max(d.version) INTO newest FROM saga_definition d WHERE d.saga = register_saga.name;
    new_version := coalesce(newest, 0) + 1;
    INSERT INTO saga_definition (saga, version, step_no, step, kind, command, completes_on, fails_on, compensation,
                                 timeout, on_timeout, max_attempts, pivot)
    SELECT register_saga.name, new_version, s.n, s.step->>'step', coalesce(s.step->>'kind', 'event'), s.step->>'command',
           s.step->>'completesOn', s.step->>'failsOn',
           CASE WHEN s.step ? 'compensation' THEN saga_procedure(s.step->>'compensation') END,
           (s.step->>'timeout')::interval, coalesce(s.step->>'onTimeout', 'compensate'),
           coalesce((s.step->>'maxAttempts')::int, 1), coalesce((s.step->>'pivot')::boolean, false)
    FROM jsonb_array_elements(register_saga.steps) WITH ORDINALITY AS s(step, n);

    -- The same once more, as a deployment script says it each time.
    IF newest IS NOT NULL AND NOT EXISTS (
            (SELECT step_no, step, kind, command, completes_on, fails_on, compensation, timeout, on_timeout, max_attempts, pivot
             FROM saga_definition WHERE saga = register_saga.name AND version = new_version)
            EXCEPT
            (SELECT step_no, step, kind, command, completes_on, fails_on, compensation, timeout, on_timeout, max_attempts, pivot
             FROM saga_definition WHERE saga = register_saga.name AND version = newest))
       AND (SELECT count(*) FILTER (WHERE version = newest) = count(*) FILTER (WHERE version = new_version)
            FROM saga_definition WHERE saga = register_saga.name) THEN
        DELETE FROM saga_definition d WHERE d.saga = register_saga.name AND d.version = new_version;
        RETURN newest;
    END IF;
    RETURN new_version;
END
$$;
COMMENT ON FUNCTION holdfast.register_saga(text, jsonb) IS
    'Registers a saga, or a new version of it, and returns the version; the same steps again change nothing. steps: an array of {"step", "kind": reserve | payment | event, "command", "completesOn", "failsOn", "compensation", "timeout", "onTimeout": retry | compensate | alert, "maxAttempts", "pivot"}; see the columns of saga_definition. HF028 what is wrong with it, HF025 no such compensation.';

CREATE FUNCTION holdfast.saga_plan(name text) RETURNS TABLE (version int, stock_taking text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT d.version,
           CASE WHEN bool_or(d.kind = 'reserve' AND d.step_no = 1) THEN 'first'
                WHEN bool_or(d.kind = 'reserve') THEN 'later' ELSE 'elsewhere' END
    FROM saga_definition d WHERE d.saga = saga_plan.name
    GROUP BY d.version ORDER BY d.version DESC LIMIT 1;
END
$$;
COMMENT ON FUNCTION holdfast.saga_plan(text) IS
    'The newest version of a saga and when it takes stock: first (with the order), later, or elsewhere; no row when there is no such saga.';

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

CREATE FUNCTION holdfast.saga_take(OUT order_id bigint, OUT step text, OUT compensation text, OUT context jsonb)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    o orders;
    i saga_instance;
    d saga_definition;
    back saga_instance_step;
BEGIN
    SELECT t.* INTO o FROM orders t
    WHERE t.order_id = ANY (ARRAY(SELECT s.order_id FROM saga_instance s WHERE s.deadline <= now()
                                  ORDER BY s.deadline LIMIT 100))
    ORDER BY t.order_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- As it is under the lock.
    SELECT * INTO STRICT i FROM saga_instance s WHERE s.order_id = o.order_id;
    saga_take.order_id := o.order_id;
    IF i.deadline > now() OR i.deadline IS NULL THEN
        RETURN;
    END IF;

    IF i.state = 'RUNNING' THEN
        SELECT * INTO STRICT d FROM saga_definition t
        WHERE t.saga = i.saga AND t.version = i.version AND t.step_no = i.step_no;
        -- extend_hold() has moved it.
        IF d.kind = 'payment' AND d.timeout IS NULL AND o.expires_at > now() THEN
            UPDATE saga_instance s SET deadline = o.expires_at WHERE s.order_id = o.order_id;
        ELSIF d.on_timeout = 'retry' AND i.attempts < d.max_attempts THEN
            UPDATE saga_instance s
            SET attempts = s.attempts + 1, deadline = now() + coalesce(d.timeout, interval '1 minute'),
                last_error = format('attempt %s timed out', i.attempts), updated_at = now()
            WHERE s.order_id = o.order_id;
            UPDATE saga_instance_step s SET attempts = i.attempts + 1
            WHERE s.order_id = o.order_id AND s.step = d.step AND s.direction = 'FORWARD' AND s.ended_at IS NULL;
            PERFORM saga_command(o, d.command, d.step, i.attempts + 1);
        ELSIF d.on_timeout = 'alert' OR EXISTS (
                SELECT FROM saga_instance_step s JOIN saga_definition t
                    ON t.saga = i.saga AND t.version = i.version AND t.step = s.step
                WHERE s.order_id = o.order_id AND s.direction = 'FORWARD' AND s.status = 'DONE' AND t.pivot) THEN
            UPDATE saga_instance s
            SET deadline = NULL, last_error = format('step %s timed out', d.step), updated_at = now()
            WHERE s.order_id = o.order_id;
            PERFORM saga_alert(o, 'SagaStuck');
        ELSE
            PERFORM end_orders(ARRAY[o.order_id], ARRAY['TIMEOUT'], ARRAY['EXPIRED'],
                               ARRAY[format('step %s of order %s timed out', d.step, o.order_id)],
                               'EXPIRED', 'saga_sweep', true);
        END IF;
        RETURN;
    END IF;

    SELECT * INTO back FROM saga_instance_step s
    WHERE s.order_id = o.order_id AND s.direction = 'COMPENSATE' AND s.status IN ('PENDING', 'STARTED', 'FAILED')
    ORDER BY s.seq LIMIT 1;
    IF back.step IS NULL THEN
        UPDATE saga_instance s SET state = 'COMPENSATED', step = NULL, deadline = NULL, attempts = 0, updated_at = now()
        WHERE s.order_id = o.order_id;
        IF o.status = 'PENDING' THEN
            PERFORM saga_end_order(o, i);
        END IF;
        RETURN;
    END IF;

    SELECT * INTO STRICT d FROM saga_definition t
    WHERE t.saga = i.saga AND t.version = i.version AND t.step = back.step;
    UPDATE saga_instance s SET step = back.step, step_no = d.step_no WHERE s.order_id = o.order_id;
    IF d.kind = 'payment' THEN
        PERFORM refund_payments(ARRAY[o.order_id], i.ending->>'cause', i.ending->>'status');
        PERFORM saga_log(o.order_id, back.step, 'COMPENSATE', 'DONE');
    ELSIF d.kind = 'reserve' THEN
        -- The stock goes back with the order itself.
        IF o.status = 'PENDING' THEN
            PERFORM saga_end_order(o, i);
        END IF;
        PERFORM saga_log(o.order_id, back.step, 'COMPENSATE', 'DONE');
    ELSE
        saga_take.step := back.step;
        saga_take.compensation := d.compensation;
        saga_take.context := jsonb_build_object(
            'saga', i.saga, 'version', i.version, 'step', back.step, 'attempt', i.attempts + 1,
            'status', i.ending->>'status', 'reason', i.ending->>'reason', 'idempotencyKey', format('%s-%s-undo', o.order_id, back.step));
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.saga_take IS
    'internal to saga_sweep: locks an order whose saga is due and does what is to be done. With a compensation: the caller calls that and says by saga_undone() what became of it. order_id NULL: none is due.';

CREATE FUNCTION holdfast.saga_undone(order_id bigint, step text, error_sqlstate text, error_message text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    o orders := lock_order(order_id);
    i saga_instance;
    at timestamptz := clock_timestamp();
BEGIN
    SELECT * INTO STRICT i FROM saga_instance s WHERE s.order_id = o.order_id;
    IF i.state NOT IN ('COMPENSATING', 'COMPENSATION_FAILED') THEN
        RETURN;
    END IF;
    UPDATE saga_instance_step s
    SET status = CASE WHEN error_sqlstate IS NULL THEN 'DONE' ELSE 'FAILED' END, attempts = s.attempts + 1,
        started_at = CASE s.attempts WHEN 0 THEN at ELSE s.started_at END,
        ended_at = CASE WHEN error_sqlstate IS NULL THEN at END,
        error = CASE WHEN error_sqlstate IS NULL THEN s.error ELSE format('%s: %s', error_sqlstate, error_message) END
    WHERE s.order_id = o.order_id AND s.step = saga_undone.step AND s.direction = 'COMPENSATE'
      AND s.status IN ('PENDING', 'STARTED', 'FAILED');
    IF error_sqlstate IS NULL THEN
        UPDATE saga_instance s
        SET state = 'COMPENSATING', attempts = 0, deadline = now(), updated_at = now(),
            last_error = coalesce(i.ending->>'message', i.ending->>'reason')
        WHERE s.order_id = o.order_id;
        RETURN;
    END IF;
    -- Tried again for as long as it takes, ever more seldom.
    UPDATE saga_instance s
    SET state = 'COMPENSATION_FAILED', attempts = s.attempts + 1,
        last_error = format('%s: %s', error_sqlstate, error_message),
        deadline = now() + least(interval '1 second' * 2 ^ least(s.attempts, 12), interval '5 minutes'), updated_at = now()
    WHERE s.order_id = o.order_id;
    IF i.state = 'COMPENSATING' THEN
        PERFORM saga_alert(o, 'CompensationFailed');
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.saga_undone IS
    'internal to saga_sweep: a compensation has worked (error_sqlstate NULL) or raised; then it is tried again after 1 s, doubling up to 5 min, and the first time CompensationFailed is published.';

CREATE FUNCTION holdfast.saga_sweep("limit" int DEFAULT 1) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    due record;
    kind "char";
    error_sqlstate text;
    error_message text;
    swept int := 0;
BEGIN
    IF "limit" IS NULL OR "limit" <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF009', MESSAGE = 'limit must be positive';
    END IF;
    WHILE swept < "limit" LOOP
        due := saga_take();
        EXIT WHEN due.order_id IS NULL;
        swept := swept + 1;
        CONTINUE WHEN due.compensation IS NULL;
        error_sqlstate := NULL;
        error_message := NULL;
        BEGIN
            SELECT p.prokind INTO kind FROM pg_proc p WHERE p.oid = (due.compensation || '(bigint, jsonb)')::regprocedure;
            EXECUTE format(CASE kind WHEN 'p' THEN 'CALL %s($1, $2)' ELSE 'SELECT %s($1, $2)' END, due.compensation)
            USING due.order_id, due.context;
            SET CONSTRAINTS ALL IMMEDIATE;
        EXCEPTION WHEN OTHERS THEN
            error_sqlstate := SQLSTATE;
            error_message := SQLERRM;
        END;
        PERFORM saga_undone(due.order_id, due.step, error_sqlstate, error_message);
    END LOOP;
    RETURN CASE WHEN swept < "limit" THEN swept + retry_early("limit" - swept) ELSE swept END;
END
$$;
COMMENT ON FUNCTION holdfast.saga_sweep(int) IS
    'Does what is due: steps that timed out are tried again, compensated or reported, steps are undone with the rights of the caller, messages that came too early are tried again; at most so many. Returns how many. Any number of callers may run it at the same time; the relay does, every second, with a transaction for each, so that no two orders'' stock is locked in one.';

-- Part 61: what sagas have due: timeouts, and steps back that need a procedure of the user's.  saga_sweep() runs
-- with the rights of its caller; what it has to look at and to write is done by the SECURITY DEFINER functions
-- here, under the order's lock.

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

-- Part 76: sagas to look at and to repair.

CREATE VIEW holdfast.saga AS
    SELECT o.order_id, o.user_id, coalesce(i.saga, 'reserve_first') AS saga, coalesce(i.version, 1) AS version,
           coalesce(i.state, CASE o.status WHEN 'PENDING' THEN 'RUNNING' WHEN 'COMPLETED' THEN 'COMPLETED'
                                           ELSE 'COMPENSATED' END) AS state,
           CASE WHEN i.order_id IS NOT NULL THEN i.step WHEN o.status = 'PENDING' THEN 'payment' END AS step,
           CASE WHEN i.order_id IS NOT NULL THEN i.deadline WHEN o.status = 'PENDING' THEN o.expires_at END AS deadline,
           coalesce(i.attempts, (SELECT count(*) FROM holdfast.payment p WHERE p.order_id = o.order_id)::int) AS attempts,
           coalesce(i.last_event, (SELECT h.cause FROM holdfast.order_history h WHERE h.order_id = o.order_id
                                   ORDER BY h.at DESC LIMIT 1), 'place_order') AS last_event,
           CASE WHEN i.order_id IS NOT NULL THEN i.last_error
                ELSE coalesce(o.failure_message, o.failure_reason) END AS last_error,
           o.status AS order_status, o.trace_id, o.created_at AS started_at,
           greatest(o.updated_at, i.updated_at) AS updated_at
    FROM holdfast.orders o LEFT JOIN holdfast.saga_instance i ON i.order_id = o.order_id AND o.saga IS NOT NULL;
COMMENT ON VIEW holdfast.saga IS 'Where each order is in its saga, and why: one row per order.';
COMMENT ON COLUMN holdfast.saga.state IS
    'RUNNING, COMPLETED, COMPENSATING, COMPENSATION_FAILED (a step back has raised and is tried again), COMPENSATED (what was done is undone)';
COMMENT ON COLUMN holdfast.saga.step IS 'the step that it is at, forward or back; NULL: at its end';
COMMENT ON COLUMN holdfast.saga.deadline IS 'when something happens to it although no event comes';
COMMENT ON COLUMN holdfast.saga.attempts IS 'of the step that it is at; of reserve_first: payments that were begun';

CREATE VIEW holdfast.saga_step AS
    SELECT s.order_id, s.seq, s.step, s.direction, s.status, s.attempts, s.event_id, s.started_at, s.ended_at, s.error
    FROM holdfast.saga_instance_step s
    UNION ALL
    -- What the rows of an order of reserve_first say.
    SELECT o.order_id, x.seq, x.step, x.direction, x.status, x.attempts,
           CASE WHEN x.step = 'payment' AND x.direction = 'FORWARD' AND o.status <> 'PENDING' THEN (
               SELECT s.event_id FROM holdfast.inbox_seen s
               WHERE s.key = o.order_id::text AND s.outcome = 'APPLIED' ORDER BY s.applied_at LIMIT 1) END,
           x.started_at, x.ended_at, x.error
    FROM holdfast.orders o
         CROSS JOIN LATERAL (SELECT count(*)::int AS begun, min(p.created_at) AS first_at,
                                    min(p.updated_at) FILTER (WHERE p.status IN ('REFUND_PENDING', 'REFUNDED')) AS back_at,
                                    bool_and(p.status = 'REFUNDED') FILTER (WHERE p.status IN ('REFUND_PENDING', 'REFUNDED')) AS is_back,
                                    max(p.updated_at) AS last_at
                             FROM holdfast.payment p WHERE p.order_id = o.order_id) p
         -- What place_order refused has no hold; what on_order_created refused has failed at this step.
         CROSS JOIN LATERAL (SELECT o.failure_step IS NOT NULL AND (o.expires_at IS NULL OR o.failure_step = 'RESERVE') AS refused) r
         CROSS JOIN LATERAL (VALUES
             (1, 'reserve', 'FORWARD', CASE WHEN r.refused THEN 'FAILED' ELSE 'DONE' END, 1, o.created_at,
              o.created_at, CASE WHEN r.refused THEN coalesce(o.failure_message, o.failure_reason) END),
             (2, 'payment', 'FORWARD', CASE o.status WHEN 'PENDING' THEN 'STARTED' WHEN 'COMPLETED' THEN 'DONE' ELSE 'FAILED' END,
              greatest(p.begun, 1), coalesce(p.first_at, o.created_at), CASE WHEN o.status <> 'PENDING' THEN o.updated_at END,
              CASE WHEN o.status NOT IN ('PENDING', 'COMPLETED') THEN o.failure_reason END),
             (3, 'payment', 'COMPENSATE', CASE WHEN p.is_back THEN 'DONE' ELSE 'STARTED' END, 1, p.back_at,
              CASE WHEN p.is_back THEN p.last_at END, NULL),
             (4, 'reserve', 'COMPENSATE', 'DONE', 1, o.updated_at, o.updated_at, NULL))
             AS x(seq, step, direction, status, attempts, started_at, ended_at, error)
    WHERE o.saga IS NULL
      AND (x.seq = 1 OR NOT r.refused)
      AND (x.seq <> 3 OR p.back_at IS NOT NULL)
      AND (x.seq <> 4 OR o.status NOT IN ('PENDING', 'COMPLETED'));
COMMENT ON VIEW holdfast.saga_step IS 'Every step that the saga of an order took, forward and back, in the order of seq.';

CREATE VIEW holdfast.stuck_sagas AS
    SELECT s.order_id, o.user_id, coalesce(i.saga, 'reserve_first') AS saga, o.status AS order_status,
           coalesce(i.state, 'RUNNING') AS state, coalesce(i.step, s.step) AS step, s.reason, s.since, now() - s.since AS age,
           coalesce(i.attempts, 0) AS attempts, s.error AS last_error
    FROM (SELECT i.order_id, i.step, 'COMPENSATION_FAILED' AS reason, i.updated_at AS since, i.last_error AS error
          FROM holdfast.saga_instance i WHERE i.state = 'COMPENSATION_FAILED'
          UNION ALL
          SELECT i.order_id, i.step, 'ALERT', i.updated_at, i.last_error
          FROM holdfast.saga_instance i WHERE i.state = 'RUNNING' AND i.last_error IS NOT NULL AND i.deadline IS NULL
          UNION ALL
          SELECT i.order_id, i.step, 'NOT_SWEPT', i.deadline, 'its deadline passed and no relay has called saga_sweep()'
          FROM holdfast.saga_instance i WHERE i.deadline < now() - interval '1 minute'
          UNION ALL
          SELECT DISTINCT r.order_id, 'payment', 'NOT_SWEPT', r.expires_at, 'its hold is over and no relay has called expire_holds()'
          FROM holdfast.reservation r WHERE r.state = 'HELD' AND r.expires_at < now() - interval '1 minute'
          UNION ALL
          SELECT d.key::bigint, NULL, d.status || '_LETTER', d.recorded_at, format('dead letter %s: %s', d.id, d.message)
          FROM holdfast.dead_letter_entry d
          WHERE d.status IN ('DEAD', 'EARLY') AND d.key ~ '^[0-9]{1,18}$' AND d.topic NOT IN ('inventory-updated', 'catalog-events')
          UNION ALL
          SELECT p.order_id, 'payment', 'PAYMENT_OVERDUE', p.due_at, format('payment "%s" has no outcome', p.payment_id)
          FROM holdfast.payment p WHERE p.status = 'PENDING' AND p.due_at <= now()
          UNION ALL
          SELECT p.order_id, 'payment', 'REFUND_OVERDUE', p.updated_at, format('refund of payment "%s" is not confirmed', p.payment_id)
          FROM holdfast.payment p WHERE p.status = 'REFUND_PENDING' AND p.updated_at < now() - interval '1 day') s
         JOIN holdfast.orders o ON o.order_id = s.order_id AND (o.placed_elsewhere IS NOT TRUE OR s.reason <> 'REFUND_OVERDUE')
         LEFT JOIN holdfast.saga_instance i ON i.order_id = s.order_id
    ORDER BY s.since, s.order_id;
COMMENT ON VIEW holdfast.stuck_sagas IS
    'Orders that will not go on by themselves, or not as they should: what is wrong, since when. See saga_resolve, redrive, pending_payments.';
COMMENT ON COLUMN holdfast.stuck_sagas.reason IS
    'COMPENSATION_FAILED, ALERT (a step timed out or failed and only a person may decide), NOT_SWEPT (no relay runs), DEAD_LETTER, EARLY_LETTER, PAYMENT_OVERDUE, REFUND_OVERDUE (older than a day)';

CREATE PROCEDURE holdfast.saga_resolve(
    order_id bigint, action text, note text, INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    o orders;
    i saga_instance;
    d saga_definition;
    result record;
    skipped text[];
    is_turning_back boolean;
    event_id uuid;
BEGIN
    IF action IS NULL OR action NOT IN ('retry', 'skip', 'force_cancel', 'force_complete') THEN
        RAISE EXCEPTION USING ERRCODE = 'HF009',
            MESSAGE = format('action "%s" is none of retry, skip, force_cancel, force_complete', action);
    END IF;
    IF note IS NULL OR note = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'resolving a saga needs a note';
    END IF;
    o := lock_order(order_id);
    SELECT * INTO i FROM saga_instance s WHERE s.order_id = o.order_id;
    SELECT * INTO d FROM saga_definition t
    WHERE t.saga = coalesce(i.saga, 'reserve_first') AND t.version = coalesce(i.version, 1)
      AND t.step_no = coalesce(i.step_no, 2);
    is_turning_back := coalesce(i.state IN ('COMPENSATING', 'COMPENSATION_FAILED'), false);
    detail := '{}';

    IF o.status <> 'PENDING' AND NOT is_turning_back THEN
        IF action = 'force_cancel' AND o.status = 'CANCELLED' OR action = 'force_complete' AND o.status = 'COMPLETED' THEN
            status := o.status;
            detail := '{"replayed": true}';
            RETURN;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s is %s: there is nothing to resolve', o.order_id, o.status);
    END IF;

    INSERT INTO order_history (order_id, status, cause, detail)
    VALUES (o.order_id, o.status, 'saga_resolve',
            jsonb_strip_nulls(jsonb_build_object('action', action, 'step', coalesce(i.step, d.step), 'note', note,
                                                 'actor', session_user)));

    IF action = 'retry' THEN
        IF is_turning_back THEN
            UPDATE saga_instance s SET deadline = now(), attempts = 0, updated_at = now() WHERE s.order_id = o.order_id;
        ELSIF i.order_id IS NULL THEN
            -- Its command to the payment service; who charges does so once per order.
            event_id := uuid_v7();
            INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
            VALUES (event_id, 'inventory-reserved', o.order_id::text, 'InventoryReserved',
                    event_inventory_reserved_v1(event_id, o), trace_headers(o.traceparent));
            detail := '{"published": "inventory-reserved"}';
        ELSE
            UPDATE saga_instance s
            SET attempts = 1, last_error = NULL, updated_at = now(),
                deadline = CASE d.kind WHEN 'payment' THEN greatest(o.expires_at, now() + coalesce(d.timeout, interval '1 minute'))
                                       ELSE now() + d.timeout END
            WHERE s.order_id = o.order_id;
            PERFORM saga_command(o, d.command, d.step, 1);
            detail := jsonb_strip_nulls(jsonb_build_object('published', d.command));
        END IF;

    ELSIF action = 'skip' THEN
        IF is_turning_back THEN
            SELECT s.step INTO result FROM saga_instance_step s
            WHERE s.order_id = o.order_id AND s.direction = 'COMPENSATE' AND s.ended_at IS NULL ORDER BY s.seq LIMIT 1;
            -- Stock and money go back in any case.
            IF (SELECT t.kind FROM saga_definition t
                WHERE t.saga = i.saga AND t.version = i.version AND t.step = result.step) <> 'event' THEN
                RAISE EXCEPTION USING ERRCODE = 'HF008',
                    MESSAGE = format('the step back %s of order %s is not one to be left out', result.step, o.order_id);
            END IF;
            PERFORM saga_log(o.order_id, result.step, 'COMPENSATE', 'SKIPPED', NULL, note);
            UPDATE saga_instance s SET state = 'COMPENSATING', deadline = now(), attempts = 0, updated_at = now()
            WHERE s.order_id = o.order_id;
            detail := jsonb_build_object('skipped', jsonb_build_array(result.step));
        ELSIF i.order_id IS NULL THEN
            PERFORM complete_orders(ARRAY[o.order_id], 'saga_resolve');
            detail := '{"skipped": ["payment"]}';
        ELSE
            PERFORM saga_log(o.order_id, d.step, 'FORWARD', 'SKIPPED', NULL, note);
            PERFORM saga_advance(ARRAY[o.order_id], 'saga_resolve');
            detail := jsonb_build_object('skipped', jsonb_build_array(d.step));
        END IF;

    ELSIF action = 'force_cancel' THEN
        -- Stock and money go back; what a procedure would have undone is left out.
        PERFORM saga_log(s.order_id, s.step, s.direction,
                         CASE WHEN s.direction = 'FORWARD' THEN 'FAILED' WHEN t.kind = 'event' THEN 'SKIPPED' ELSE 'DONE' END,
                         NULL, CASE WHEN s.direction = 'FORWARD' OR t.kind = 'event' THEN note END)
        FROM saga_instance_step s JOIN saga_definition t ON t.saga = i.saga AND t.version = i.version AND t.step = s.step
        WHERE s.order_id = o.order_id AND s.ended_at IS NULL ORDER BY s.seq;
        UPDATE saga_instance s
        SET state = 'COMPENSATED', step = NULL, deadline = NULL, attempts = 0, last_event = 'saga_resolve', updated_at = now()
        WHERE s.order_id = o.order_id;
        PERFORM end_orders(ARRAY[o.order_id], ARRAY['CANCEL'], ARRAY['FORCED'], ARRAY[note], 'CANCELLED', 'saga_resolve',
                           true, through_saga => true);

    ELSE
        IF is_turning_back THEN
            RAISE EXCEPTION USING ERRCODE = 'HF008',
                MESSAGE = format('the saga of order %s is turning back and can only be retried, skipped or cancelled', o.order_id);
        END IF;
        IF i.order_id IS NOT NULL THEN
            SELECT array_agg(t.step ORDER BY t.step_no) INTO skipped
            FROM saga_definition t
            WHERE t.saga = i.saga AND t.version = i.version AND t.step_no >= i.step_no AND t.kind <> 'reserve';
            -- What was not reserved yet is now, or the order cannot be completed.
            IF NOT EXISTS (SELECT FROM reservation r WHERE r.order_id = o.order_id)
               AND EXISTS (SELECT FROM saga_definition t WHERE t.saga = i.saga AND t.version = i.version AND t.kind = 'reserve') THEN
                SELECT * INTO result FROM reserve_orders(ARRAY[o.order_id], '{}');
                IF result.reason IS NOT NULL THEN
                    RAISE EXCEPTION USING ERRCODE = 'HF012',
                        MESSAGE = format('order %s cannot be completed: %s', o.order_id, result.message);
                END IF;
                PERFORM saga_log(o.order_id, 'reserve', 'FORWARD', 'DONE');
            END IF;
            PERFORM saga_log(o.order_id, s.step, 'FORWARD', 'SKIPPED', NULL, note)
            FROM unnest(skipped) WITH ORDINALITY AS s(step, n) ORDER BY s.n;
            UPDATE saga_instance s
            SET state = 'COMPLETED', step = NULL, deadline = NULL, attempts = 0, last_event = 'saga_resolve', last_error = NULL,
                updated_at = now()
            WHERE s.order_id = o.order_id;
            detail := jsonb_build_object('skipped', to_jsonb(coalesce(skipped, '{}')));
        END IF;
        PERFORM complete_orders(ARRAY[o.order_id], 'saga_resolve');
    END IF;

    SELECT t.status INTO status FROM orders t WHERE t.order_id = o.order_id;
    SELECT detail || jsonb_build_object('saga', s.state) INTO detail FROM saga s WHERE s.order_id = o.order_id;
END
$$;
COMMENT ON PROCEDURE holdfast.saga_resolve IS
    'A person decides about an order whose saga does not go on; note says why, and is kept with session_user in the history. retry: the step that it is at, forward (its command is published again, for reserve_first inventory-reserved) or back, now. skip: leaves that step out. force_cancel: the order is CANCELLED now; steps that procedures of the user''s would have undone are left out, stock and money go back. force_complete: what is missing is left out and the order COMPLETED; stock that was not taken yet is taken now, or HF012. HF008 when there is nothing to resolve.';

-- Part 75: psql is the console: what relays report, how far the outbox is, what became of an order.

CREATE FUNCTION holdfast.relay_report(
    slot name, relay_version text, host text, pid int, received_lsn pg_lsn, confirmed_lsn pg_lsn, error text)
RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF relay_report.slot IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'slot must not be null';
    END IF;
    INSERT INTO relay_state AS r (slot, relay_version, host, pid, received_lsn, confirmed_lsn, last_error,
                                  system_identifier)
    SELECT relay_report.slot, relay_report.relay_version, relay_report.host, relay_report.pid,
           relay_report.received_lsn, relay_report.confirmed_lsn, relay_report.error, c.system_identifier
    FROM pg_control_system() c
    ON CONFLICT (slot) DO UPDATE
        SET relay_version = excluded.relay_version, host = excluded.host, pid = excluded.pid,
            received_lsn = coalesce(excluded.received_lsn, r.received_lsn),
            confirmed_lsn = coalesce(excluded.confirmed_lsn, r.confirmed_lsn),
            started_at = CASE WHEN (r.host, r.pid) IS NOT DISTINCT FROM (excluded.host, excluded.pid)
                              THEN r.started_at ELSE now() END,
            reported_at = now(), last_error = excluded.last_error,
            system_identifier = excluded.system_identifier;
END
$$;
COMMENT ON FUNCTION holdfast.relay_report IS
    'What a relay tells about itself. From the first report on, outbox partitions wait for this slot.';

CREATE FUNCTION holdfast.relay_take_slot(slot name, run_id uuid) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    INSERT INTO holdfast.relay_state AS r (slot, run_id)
    VALUES (relay_take_slot.slot, relay_take_slot.run_id)
    ON CONFLICT (slot) DO UPDATE SET run_id = excluded.run_id, left_lsn = NULL;
END;
COMMENT ON FUNCTION holdfast.relay_take_slot IS
    'The relay process run_id streams from the slot from now on: where the slot was left before means nothing any more.';

CREATE FUNCTION holdfast.relay_leave_slot(slot name, run_id uuid, confirmed_lsn pg_lsn) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    UPDATE holdfast.relay_state r SET left_lsn = relay_leave_slot.confirmed_lsn
    WHERE r.slot = relay_leave_slot.slot AND r.run_id = relay_leave_slot.run_id;
END;
COMMENT ON FUNCTION holdfast.relay_leave_slot IS
    'The relay process run_id has stopped in order and confirmed the slot up to there: no one else confirms more of it, so a slot that is further on is another one, or was advanced. Nothing when another process has taken the slot meanwhile.';

CREATE FUNCTION holdfast.forget_slot(slot name) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM snapshot_end(s.snapshot_id, 'STOPPED', 'the slot was forgotten')
    FROM snapshot_run s WHERE s.slot = forget_slot.slot AND s.finished_at IS NULL;
    -- What was there before the slot was there says nothing of the next slot of its name.
    UPDATE snapshot_run s SET status = 'STOPPED', last_error = 'the slot was forgotten'
    WHERE s.slot = forget_slot.slot AND s.kind = 'initial' AND s.status = 'COMPLETED';
    DELETE FROM relay_state r WHERE r.slot = forget_slot.slot;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION holdfast.forget_slot(name) IS
    'A relay that will not come back: outbox partitions no longer wait for its slot, and its snapshots are STOPPED: a slot that is made again begins with one. False when it was not known.';

CREATE FUNCTION holdfast.record_positions(event_ids uuid[], topics text[], partitions int[], offsets bigint[])
RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO outbox_position (event_id, topic, "partition", kafka_offset)
    SELECT p.event_id, p.topic, p."partition", p.kafka_offset
    FROM unnest(event_ids, topics, partitions, offsets) AS p(event_id, topic, "partition", kafka_offset)
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION holdfast.record_positions IS 'Where events are in Kafka, for trace(); a repetition keeps the first position.';

CREATE VIEW holdfast.relay_status AS
    SELECT r.slot,
           CASE WHEN s.slot_name IS NULL THEN 'slot missing'
                WHEN s.wal_status = 'lost' THEN 'slot lost'
                WHEN s.active THEN 'streaming'
                ELSE 'stopped' END AS state,
           CASE WHEN NOT pg_is_in_recovery()
                THEN pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint END AS lag_bytes,
           s.wal_status, s.safe_wal_size, s.confirmed_flush_lsn AS confirmed_lsn, r.received_lsn,
           r.relay_version, r.host, r.pid, r.started_at, r.reported_at, r.last_error
    FROM holdfast.relay_state r
         LEFT JOIN pg_replication_slots s ON s.slot_name = r.slot AND s.database = current_database()
    ORDER BY r.slot;
COMMENT ON VIEW holdfast.relay_status IS 'Each relay that has reported: its slot, how far it is behind, its last error.';
COMMENT ON COLUMN holdfast.relay_status.lag_bytes IS 'WAL that was written and not confirmed by Kafka';
COMMENT ON COLUMN holdfast.relay_status.safe_wal_size IS 'WAL that may be written before the slot is in danger (max_slot_wal_keep_size)';

CREATE VIEW holdfast.outbox_status AS
    SELECT p.partitions, p.events, p.bytes, p.default_events,
           holdfast.uuid_v7_time((SELECT o.id FROM holdfast.outbox o ORDER BY o.id LIMIT 1)) AS oldest,
           holdfast.uuid_v7_time((SELECT o.id FROM holdfast.outbox o ORDER BY o.id DESC LIMIT 1)) AS newest,
           c.confirmed_lsn, c.unconfirmed_bytes,
           least(p.events, ceil(c.unconfirmed_bytes / greatest(p.bytes / nullif(p.events, 0), 1))::bigint) AS unconfirmed_at_most
    FROM (SELECT count(*) FILTER (WHERE NOT r.is_default) AS partitions,
                 sum(pg_stat_get_live_tuples(r.child))::bigint AS events,
                 sum(pg_table_size(r.child))::bigint AS bytes,
                 sum(pg_stat_get_live_tuples(r.child)) FILTER (WHERE r.is_default)::bigint AS default_events
          FROM holdfast.partition_ranges('holdfast.outbox') r) p
         CROSS JOIN (SELECT l.confirmed_lsn,
                            CASE WHEN NOT pg_is_in_recovery()
                                 THEN pg_wal_lsn_diff(pg_current_wal_lsn(), l.confirmed_lsn) END AS unconfirmed_bytes
                     FROM holdfast.confirmed_lsn() AS l(confirmed_lsn)) c;
COMMENT ON VIEW holdfast.outbox_status IS 'How much the outbox holds, since when, and how much of it Kafka has not confirmed.';
COMMENT ON COLUMN holdfast.outbox_status.events IS 'estimate of the statistics system';
COMMENT ON COLUMN holdfast.outbox_status.default_events IS 'events that no partition was made for; more than a few: maintain() does not run';
COMMENT ON COLUMN holdfast.outbox_status.unconfirmed_at_most IS 'unconfirmed WAL, were it all events of the average size';

CREATE VIEW holdfast.pending_payments AS
    SELECT p.payment_id, p.order_id, p.user_id, p.amount, o.currency, p.attempt,
           (SELECT max(a.attempt) FROM holdfast.payment a WHERE a.order_id = p.order_id) AS attempts,
           now() - p.created_at AS age, p.created_at AS begun_at, p.due_at,
           o.status AS order_status, o.expires_at AS order_expires_at
    FROM holdfast.payment p JOIN holdfast.orders o ON o.order_id = p.order_id
    WHERE p.status = 'PENDING' AND p.due_at <= now()
    ORDER BY p.due_at, p.payment_id;
COMMENT ON VIEW holdfast.pending_payments IS
    'Payments that were begun and whose outcome is overdue: ask the payment service, then complete_payment or fail_payment.';
COMMENT ON COLUMN holdfast.pending_payments.attempts IS 'how many payments were begun for the order';
COMMENT ON COLUMN holdfast.pending_payments.due_at IS 'when holdfast.payment_timeout of the session that began it was over';
COMMENT ON COLUMN holdfast.pending_payments.order_status IS 'of an order that has ended, or is paid already, complete_payment asks for a refund';

CREATE FUNCTION holdfast.trace(order_id bigint)
RETURNS TABLE (at timestamptz, source text, what text, topic text, "partition" int, kafka_offset bigint, detail jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT t.at, t.source, t.what, t.topic, t."partition", t.kafka_offset, t.detail
    FROM (
        SELECT o.created_at AS at, 2 AS rank, 'order' AS source,
               CASE WHEN o.expires_at IS NULL AND o.failure_step IS NOT NULL THEN 'FAILED' ELSE 'PENDING' END || ' by place_order' AS what,
               NULL::text AS topic, NULL::int AS "partition", NULL::bigint AS kafka_offset,
               jsonb_strip_nulls(jsonb_build_object(
                   'userId', o.user_id, 'finalTotalAmount', o.final_total_amount, 'currency', o.currency,
                   'traceId', o.trace_id)) AS detail
        FROM holdfast.orders o WHERE o.order_id = trace.order_id
        UNION ALL
        SELECT h.at, 5, 'order', h.status || ' by ' || h.cause, NULL, NULL, NULL, h.detail
        FROM holdfast.order_history h WHERE h.order_id = trace.order_id
        UNION ALL
        SELECT x.at, x.rank, 'reservation', x.state, NULL, NULL, NULL,
               jsonb_build_object('productId', r.product_id, 'quantity', r.quantity)
        FROM holdfast.reservation r
             CROSS JOIN LATERAL (VALUES (r.created_at, 'HELD', 3), (r.updated_at, r.state, 4)) AS x(at, state, rank)
        WHERE r.order_id = trace.order_id AND (x.rank = 3 OR r.state <> 'HELD')
        UNION ALL
        SELECT x.at, x.rank, 'coupon', x.state, NULL, NULL, NULL,
               jsonb_build_object('code', u.code, 'discountAmount', u.discount_amount)
        FROM holdfast.coupon_use u
             CROSS JOIN LATERAL (VALUES (u.created_at, 'HELD', 3), (u.updated_at, u.state, 4)) AS x(at, state, rank)
        WHERE u.order_id = trace.order_id AND (x.rank = 3 OR u.state <> 'HELD')
        UNION ALL
        SELECT h.at, 4, 'payment', h.status, NULL, NULL, NULL,
               jsonb_build_object('paymentId', h.payment_id) || coalesce(h.detail, '{}')
        FROM holdfast.payment_history h WHERE h.order_id = trace.order_id
        UNION ALL
        SELECT x.at, x.rank, 'saga', s.step || CASE s.direction WHEN 'COMPENSATE' THEN ' compensation ' ELSE ' ' END || x.what, NULL, NULL, NULL,
               jsonb_strip_nulls(jsonb_build_object(
                   'attempts', nullif(s.attempts, 1), 'eventId', s.event_id, 'error', s.error))
        FROM holdfast.saga_instance_step s
             CROSS JOIN LATERAL (VALUES (s.started_at, 'STARTED', 5), (s.ended_at, s.status, 6)) AS x(at, what, rank)
        WHERE s.order_id = trace.order_id AND x.at IS NOT NULL
          AND (x.rank = 6 OR s.status <> 'PENDING' AND s.ended_at IS DISTINCT FROM s.started_at)
        UNION ALL
        SELECT t.created_at, 1, 'tombstone', t.reason, NULL, NULL, NULL,
               jsonb_strip_nulls(jsonb_build_object('failedStep', t.step, 'eventId', t.event_id))
        FROM holdfast.order_tombstone t WHERE t.order_id = trace.order_id
        UNION ALL
        -- Products are numbered too, and payments may be; events keyed by them are others'.
        SELECT o.created_at, 6, 'outbox', o.type, o.aggregatetype, p."partition", p.kafka_offset,
               jsonb_build_object('eventId', o.id)
        FROM holdfast.outbox o LEFT JOIN holdfast.outbox_position p ON p.event_id = o.id
        WHERE o.aggregateid = trace.order_id::text
          AND o.aggregatetype NOT IN ('inventory-updated', 'catalog-events', 'payment-event')
        UNION ALL
        SELECT o.created_at, 6, 'outbox', o.type, o.aggregatetype, p."partition", p.kafka_offset,
               jsonb_build_object('eventId', o.id)
        FROM holdfast.outbox o LEFT JOIN holdfast.outbox_position p ON p.event_id = o.id
        WHERE o.aggregateid = ANY (ARRAY(SELECT m.payment_id FROM holdfast.payment m WHERE m.order_id = trace.order_id))
          AND o.aggregatetype = 'payment-event'
        UNION ALL
        SELECT s.applied_at, 0, 'inbox', s.outcome || ' by ' || s.consumer, s.topic, s."partition", s.kafka_offset,
               jsonb_build_object('eventId', s.event_id)
        FROM holdfast.inbox_seen s WHERE s.key = trace.order_id::text
        UNION ALL
        SELECT coalesce(d.resolved_at, d.recorded_at), 7, 'dead letter', d.status, d.topic, d."partition", d.kafka_offset,
               jsonb_strip_nulls(jsonb_build_object(
                   'id', d.id, 'sqlstate', d.sqlstate, 'message', d.message, 'attempts', d.attempts, 'note', d.note))
        FROM holdfast.dead_letter_entry d WHERE left(d.key, 200) = trace.order_id::text AND d.key = trace.order_id::text
    ) t
    ORDER BY t.at, t.rank, t.detail->>'eventId', t.what;
END;
COMMENT ON FUNCTION holdfast.trace(bigint) IS
    'What happened to an order, in time: order, reservations, coupons, payments, steps of its saga, published events (with their Kafka position when the relay records it), consumed messages, dead letters.';

CREATE FUNCTION holdfast.trace(trace_id text)
RETURNS TABLE (order_id bigint, at timestamptz, source text, what text, topic text, "partition" int, kafka_offset bigint,
               detail jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    WITH request AS (
        SELECT r.* FROM holdfast.order_request r
        WHERE r.trace_id = CASE WHEN trace.trace_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN trace.trace_id::uuid END)
    SELECT t.order_id, t.at, t.source, t.what, t.topic, t."partition", t.kafka_offset, t.detail
    FROM (
        SELECT NULL::bigint AS order_id, r.created_at AS at, 0 AS rank, 'request' AS source, 'PROCESSING' AS what,
               NULL::text AS topic, NULL::int AS "partition", NULL::bigint AS kafka_offset,
               jsonb_build_object('userId', r.user_id, 'lines', r.lines) AS detail
        FROM request r
        UNION ALL
        SELECT r.order_id, r.updated_at, 9, 'request', r.status, NULL, NULL, NULL,
               jsonb_strip_nulls(jsonb_build_object('reason', r.reason, 'message', r.message))
        FROM request r WHERE r.status <> 'PROCESSING'
        UNION ALL
        SELECT NULL, o.created_at, 6, 'outbox', o.type, o.aggregatetype, p."partition", p.kafka_offset,
               jsonb_build_object('eventId', o.id)
        FROM holdfast.outbox o LEFT JOIN holdfast.outbox_position p ON p.event_id = o.id
        WHERE o.aggregateid = trace.trace_id AND o.aggregatetype IN ('order-request', 'order-request-dlq')
        UNION ALL
        SELECT NULL, s.applied_at, 0, 'inbox', s.outcome || ' by ' || s.consumer, s.topic, s."partition", s.kafka_offset,
               jsonb_build_object('eventId', s.event_id)
        FROM holdfast.inbox_seen s WHERE s.key = trace.trace_id
        UNION ALL
        SELECT NULL, coalesce(d.resolved_at, d.recorded_at), 7, 'dead letter', d.status, d.topic, d."partition", d.kafka_offset,
               jsonb_strip_nulls(jsonb_build_object(
                   'id', d.id, 'sqlstate', d.sqlstate, 'message', d.message, 'attempts', d.attempts, 'note', d.note))
        FROM holdfast.dead_letter_entry d WHERE left(d.key, 200) = left(trace.trace_id, 200) AND d.key = trace.trace_id
        UNION ALL
        SELECT o.order_id, e.at, 3, e.source, e.what, e.topic, e."partition", e.kafka_offset, e.detail
        FROM (SELECT o.order_id FROM holdfast.orders o WHERE o.trace_id = trace.trace_id
              UNION SELECT r.order_id FROM request r WHERE r.order_id IS NOT NULL) o
             CROSS JOIN LATERAL holdfast.trace(o.order_id) e
    ) t
    ORDER BY t.at, t.rank, t.order_id, t.detail->>'eventId', t.what;
END;
COMMENT ON FUNCTION holdfast.trace(text) IS
    'trace(order_id) of every order with that trace id, and of the request that it came from.';

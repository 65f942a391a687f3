-- Part 70: partitions.  maintain() makes them ahead of time and drops what may go; it never waits for a
-- lock longer than 100 ms, because whatever waits for a lock on the outbox makes every order wait behind
-- it.  What it does not get now it gets at its next run.

CREATE FUNCTION holdfast.uuid_v7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
COMMENT ON FUNCTION holdfast.uuid_v7_floor(timestamptz) IS 'Below every UUIDv7 of that millisecond and above all earlier ones.';

CREATE FUNCTION holdfast.uuid_v7_time(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0);
COMMENT ON FUNCTION holdfast.uuid_v7_time(uuid) IS 'When a UUIDv7 was made, in milliseconds.';

CREATE FUNCTION holdfast.partition_ranges(parent regclass)
RETURNS TABLE (child regclass, name name, lower text, upper text, is_default boolean)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT c.oid, c.relname,
           substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''?([^'')]*)''?\)'),
           substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?([^'')]*)''?\)'),
           pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent
    ORDER BY c.relname;
END;
COMMENT ON FUNCTION holdfast.partition_ranges(regclass) IS 'The partitions of a table with their bounds as text.';

CREATE FUNCTION holdfast.add_partition(
    parent name, key name, child name, lower text, upper text, options text, over_default boolean)
RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET lock_timeout = '100ms'
AS $$
DECLARE
    occupied boolean;
BEGIN
    IF to_regclass(format('holdfast.%I', child)) IS NOT NULL THEN
        RETURN 'exists';
    END IF;
    -- Attaching reads the whole default partition, and those who insert into it wait.  It is empty, or
    -- as small as what came before the first maintain(); a large one is left for a quiet moment.
    EXECUTE format('SELECT EXISTS (SELECT FROM holdfast.%1$I WHERE %2$I >= %3$L AND %2$I < %4$L)',
                   parent || '_default', key, lower, upper) INTO occupied;
    IF occupied THEN
        RETURN 'occupied';
    END IF;
    IF NOT over_default AND pg_relation_size(format('holdfast.%I', parent || '_default')) > 256 * 1024 * 1024 THEN
        RETURN 'default too large';
    END IF;
    BEGIN
        EXECUTE format('CREATE TABLE holdfast.%I (LIKE holdfast.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)%s',
                       child, parent, options);
        EXECUTE format('ALTER TABLE holdfast.%I ATTACH PARTITION holdfast.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, lower, upper);
    EXCEPTION
        WHEN lock_not_available THEN
            RETURN 'busy';
        WHEN check_violation THEN
            RETURN 'occupied';
    END;
    RETURN 'created';
END
$$;
COMMENT ON FUNCTION holdfast.add_partition IS
    'internal to maintain: created, exists, busy (a lock was not free), occupied (the default partition has rows of the range: they stay there, and so does the range).';

CREATE FUNCTION holdfast.confirmed_lsn() RETURNS pg_lsn
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    -- A slot that was reported and is not there has confirmed nothing.
    SELECT CASE WHEN count(*) = count(s.confirmed_flush_lsn) THEN min(s.confirmed_flush_lsn) END
    FROM holdfast.relay_state r
         LEFT JOIN pg_replication_slots s
             ON s.slot_name = r.slot AND s.slot_type = 'logical' AND s.database = current_database();
END;
COMMENT ON FUNCTION holdfast.confirmed_lsn() IS
    'Up to where every slot that a relay has reported is confirmed by Kafka; NULL when there is none or one is missing.';

CREATE FUNCTION holdfast.retire_outbox(partition_name name, is_default boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET lock_timeout = '100ms'
AS $$
#variable_conflict use_variable
DECLARE
    closed closed_partition;
    bytes bigint;
BEGIN
    SELECT * INTO closed FROM closed_partition c WHERE c.name = partition_name;
    bytes := pg_relation_size(format('holdfast.%I', partition_name));

    -- Close it: whoever has written to it holds a lock until the end of the transaction, so under SHARE
    -- all of them have committed, below the WAL position of now.  Written to since (a clock that went
    -- back): close it again.
    IF closed.name IS NULL OR closed.bytes <> bytes THEN
        BEGIN
            EXECUTE format('LOCK TABLE holdfast.%I IN SHARE MODE', partition_name);
        EXCEPTION
            WHEN lock_not_available THEN
                RETURN 'busy';
            WHEN insufficient_privilege THEN
                RETURN 'not owned';
        END;
        INSERT INTO closed_partition AS c (name, lsn, bytes)
        VALUES (partition_name, pg_current_wal_insert_lsn(), pg_relation_size(format('holdfast.%I', partition_name)))
        ON CONFLICT (name) DO UPDATE SET lsn = excluded.lsn, bytes = excluded.bytes, closed_at = now();
        RETURN 'closed';
    END IF;

    IF coalesce(confirmed_lsn() < closed.lsn, true) THEN
        RETURN 'unconfirmed';
    END IF;
    BEGIN
        IF is_default THEN
            EXECUTE format('LOCK TABLE holdfast.%I IN ACCESS EXCLUSIVE MODE', partition_name);
        ELSE
            LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE;
        END IF;
        IF pg_relation_size(format('holdfast.%I', partition_name)) <> closed.bytes THEN
            RETURN 'busy';
        END IF;
        IF is_default THEN
            EXECUTE format('TRUNCATE holdfast.%I', partition_name);
        ELSE
            EXECUTE format('DROP TABLE holdfast.%I', partition_name);
        END IF;
    EXCEPTION
        WHEN lock_not_available THEN
            RETURN 'busy';
        WHEN insufficient_privilege THEN
            RETURN 'not owned';
    END;
    DELETE FROM closed_partition c WHERE c.name = partition_name;
    RETURN 'dropped';
END
$$;
COMMENT ON FUNCTION holdfast.retire_outbox(name, boolean) IS
    'internal to maintain: a partition past its retention is first closed, then, when all slots have confirmed it, dropped (the default one is emptied). Not owned: somebody made it by hand, and drops it by hand.';

CREATE FUNCTION holdfast.drop_partition(parent regclass, partition_name name, is_default boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET lock_timeout = '100ms'
AS $$
BEGIN
    IF is_default THEN
        EXECUTE format('TRUNCATE holdfast.%I', partition_name);
    ELSE
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', parent);
        EXECUTE format('DROP TABLE holdfast.%I', partition_name);
    END IF;
    RETURN 'dropped';
EXCEPTION
    WHEN lock_not_available THEN
        RETURN 'busy';
    WHEN insufficient_privilege THEN
        RETURN 'not owned';
END
$$;
COMMENT ON FUNCTION holdfast.drop_partition(regclass, name, boolean) IS 'internal to maintain: drops a partition, or empties the default one.';

CREATE FUNCTION holdfast.maintain(over_default boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET lock_timeout = '100ms'
    SET timezone = 'UTC'
AS $$
DECLARE
    today timestamptz := date_trunc('day', clock_timestamp());
    orders_per_partition CONSTANT bigint := 10000000;
    -- uuid_v7() loads the library, and with it the settings.
    loaded uuid := uuid_v7();
    outbox_before uuid := uuid_v7_floor(now() - current_setting('holdfast.outbox_retention')::interval);
    inbox_before date := (now() - current_setting('holdfast.inbox_retention')::interval)::date;
    requests_before timestamptz := now() - current_setting('holdfast.request_retention')::interval;
    last_order bigint;
    wanted record;
    part record;
    newest uuid;
    outcome text;
    forgotten bigint;
    report jsonb := '{"created": [], "closed": [], "dropped": [], "unconfirmed": [], "busy": []}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('holdfast.maintain', 0)) THEN
        RETURN '{"running": "elsewhere"}';
    END IF;
    -- Orders of another database (on_order_created) have ids that this sequence does not know.
    SELECT greatest(CASE WHEN s.is_called THEN s.last_value ELSE 0 END, (SELECT max(o.order_id) FROM orders o))
    INTO last_order FROM order_id_seq s;

    FOR wanted IN
        SELECT parent, 'order_id' AS key, format('%s_p%s', parent, n) AS child,
               (n * orders_per_partition)::text AS lower, ((n + 1) * orders_per_partition)::text AS upper,
               CASE WHEN parent IN ('orders', 'reservation', 'coupon_use') THEN ' WITH (fillfactor = 90)'
                    WHEN parent IN ('saga_instance', 'saga_instance_step') THEN ' WITH (fillfactor = 80)' ELSE '' END AS options
        FROM unnest(ARRAY['orders', 'order_line', 'reservation', 'order_history', 'payment_history',
                          'saga_instance', 'saga_instance_step', 'coupon_use']) AS parent
             CROSS JOIN generate_series(greatest(last_order / orders_per_partition, 1),
                                        last_order / orders_per_partition + 1) AS n
        UNION ALL
        SELECT 'stock_ledger', 'at', to_char(m, '"stock_ledger_p"YYYYMM'), m::text, (m + interval '1 month')::text, ''
        FROM generate_series(date_trunc('month', today), today + interval '2 months', interval '1 month') AS m
        UNION ALL
        SELECT 'product_metric', 'day', to_char(m, '"product_metric_p"YYYYMM'), m::date::text,
               (m + interval '1 month')::date::text, ' WITH (fillfactor = 50)'
        FROM generate_series(date_trunc('month', today), today + interval '2 months', interval '1 month') AS m
        UNION ALL
        SELECT 'inbox_seen', 'week', to_char(w, '"inbox_seen_p"YYYYMMDD'), w::date::text, (w + interval '7 days')::date::text, ''
        FROM generate_series(date_trunc('week', today), today + interval '21 days', interval '7 days') AS w
        UNION ALL
        SELECT t.parent, t.key, t.parent || to_char(d, '"_p"YYYYMMDD'),
               uuid_v7_floor(d)::text, uuid_v7_floor(d + interval '1 day')::text, t.options
        FROM (VALUES ('outbox_position', 'event_id', ' WITH (autovacuum_vacuum_insert_threshold = -1)'),
                     ('outbox', 'id', ' WITH (autovacuum_vacuum_insert_threshold = -1)'),
                     ('order_request', 'trace_id', ' WITH (fillfactor = 70)')) AS t(parent, key, options)
             CROSS JOIN generate_series(today, today + interval '7 days', interval '1 day') AS d
    LOOP
        outcome := add_partition(wanted.parent, wanted.key, wanted.child, wanted.lower, wanted.upper,
                                 wanted.options, over_default);
        IF outcome <> 'exists' THEN
            report := jsonb_set(report, ARRAY[outcome], coalesce(report->outcome, '[]') || to_jsonb(wanted.child));
        END IF;
    END LOOP;

    FOR part IN
        SELECT r.*, 'inbox_seen'::regclass AS parent FROM partition_ranges('inbox_seen') r
        WHERE CASE WHEN r.is_default THEN EXISTS (SELECT FROM inbox_seen_default)
                                          AND NOT EXISTS (SELECT FROM inbox_seen_default s WHERE s.week + 7 > inbox_before)
                   ELSE r.upper::date <= inbox_before END
    LOOP
        outcome := drop_partition(part.parent, part.name, part.is_default);
        report := jsonb_set(report, ARRAY[outcome], coalesce(report->outcome, '[]') || to_jsonb(part.name));
    END LOOP;

    FOR part IN
        SELECT r.*, 'order_request'::regclass AS parent FROM partition_ranges('order_request') r
        WHERE CASE WHEN r.is_default THEN EXISTS (SELECT FROM order_request_default)
                                          AND NOT EXISTS (SELECT FROM order_request_default q WHERE q.created_at >= requests_before)
                   ELSE r.upper::uuid <= uuid_v7_floor(requests_before) END
    LOOP
        outcome := drop_partition(part.parent, part.name, part.is_default);
        report := jsonb_set(report, ARRAY[outcome], coalesce(report->outcome, '[]') || to_jsonb(part.name));
    END LOOP;

    newest := (SELECT o.id FROM outbox_default o ORDER BY o.id DESC LIMIT 1);
    FOR part IN
        SELECT r.* FROM partition_ranges('outbox') r
        WHERE CASE WHEN r.is_default THEN newest < outbox_before ELSE r.upper::uuid <= outbox_before END
    LOOP
        outcome := retire_outbox(part.name, part.is_default);
        report := jsonb_set(report, ARRAY[outcome], coalesce(report->outcome, '[]') || to_jsonb(part.name));
    END LOOP;

    -- Positions follow the events that they belong to.
    newest := (SELECT p.event_id FROM outbox_position_default p ORDER BY p.event_id DESC LIMIT 1);
    FOR part IN
        SELECT r.*, 'outbox_position'::regclass AS parent FROM partition_ranges('outbox_position') r
        WHERE CASE WHEN r.is_default THEN newest < outbox_before
                   ELSE r.upper::uuid <= outbox_before
                        AND to_regclass(format('holdfast.%I', replace(r.name, 'outbox_position', 'outbox'))) IS NULL END
    LOOP
        outcome := drop_partition(part.parent, part.name, part.is_default);
        report := jsonb_set(report, ARRAY[outcome], coalesce(report->outcome, '[]') || to_jsonb(part.name));
    END LOOP;

    PERFORM adopt_waiting_numbers();
    forgotten := forget_waiting(50000);
    IF forgotten > 0 THEN
        report := report || jsonb_build_object('forgotten', forgotten);
    END IF;
    forgotten := forget_large_records();
    IF forgotten > 0 THEN
        report := report || jsonb_build_object('large_records', forgotten);
    END IF;
    forgotten := forget_snapshots();
    IF forgotten > 0 THEN
        report := report || jsonb_build_object('snapshots', forgotten);
    END IF;
    RETURN report;
END
$$;
COMMENT ON FUNCTION holdfast.maintain(boolean) IS
    'Makes partitions ahead of time and drops those of outbox, inbox and order requests that are past their retention, of the outbox only what every known slot has confirmed; removes old waiting tickets and counts, what claim checks pointed to, and ended snapshots. Waits for no lock longer than 100 ms; says what it did, and what was busy. over_default: attach partitions although the default partition is large, which blocks inserts while it is read.';

CREATE FUNCTION holdfast.create_publication() RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    found_row pg_publication;
BEGIN
    PERFORM maintain();
    SELECT * INTO found_row FROM pg_publication p WHERE p.pubname = 'holdfast';
    IF NOT FOUND THEN
        CREATE PUBLICATION holdfast FOR TABLE holdfast.outbox
            WITH (publish = 'insert', publish_via_partition_root = true);
        RETURN;
    END IF;
    -- A restored dump, or a new installation of the extension, leaves it empty.  While a slot exists that may
    -- have passed over events, that is not for us to mend.
    IF NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = found_row.oid)
       AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.database = current_database()) THEN
        ALTER PUBLICATION holdfast ADD TABLE holdfast.outbox;
    END IF;
    IF found_row.puballtables OR NOT found_row.pubinsert OR found_row.pubupdate OR found_row.pubdelete
       OR found_row.pubtruncate OR NOT found_row.pubviaroot
       OR EXISTS (SELECT FROM pg_publication_namespace n WHERE n.pnpubid = found_row.oid)
       OR NOT EXISTS (SELECT FROM pg_publication_rel r
                      WHERE r.prpubid = found_row.oid AND r.prrelid = 'holdfast.outbox'::regclass
                        AND r.prqual IS NULL AND r.prattrs IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = 'publication "holdfast" exists and is another than the relay needs',
            HINT = 'It must publish only inserts, of holdfast.outbox without row filter or column list, and via the partition root. Drop it if no slot depends on it, and call this again.';
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.create_publication() IS
    'Makes the publication "holdfast" (once; it outlives the extension''s script so that dumps restore it) and the first partitions. For whoever may create publications: a superuser.';

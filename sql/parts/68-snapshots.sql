-- Part 68: snapshots.  The relay reads tables that exist already and sends their rows: before it streams
-- (initial), or while it does (incremental, which people ask for: part 69).  These tables are all that it knows
-- about that after a restart.  What a request, a pause or a stop writes is the truth; the logical message with
-- it wakes a relay that has nothing else to do, and never becomes an event.

CREATE TABLE holdfast.snapshot_run (
    snapshot_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot          name NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('initial', 'incremental')),
    status        text NOT NULL CHECK (status IN ('REQUESTED', 'RUNNING', 'PAUSED', 'COMPLETED', 'STOPPED', 'FAILED')),
    requested_by  name NOT NULL DEFAULT session_user,
    requested_at  timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    snapshot_lsn  pg_lsn,
    last_error    text,
    CHECK ((finished_at IS NULL) = (status IN ('REQUESTED', 'RUNNING', 'PAUSED')))
);
CREATE INDEX snapshot_run_unfinished ON holdfast.snapshot_run (slot, snapshot_id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX snapshot_run_initial ON holdfast.snapshot_run (slot) WHERE kind = 'initial' AND finished_at IS NULL;
COMMENT ON TABLE holdfast.snapshot_run IS
    'REQUESTED -> RUNNING <-> PAUSED -> COMPLETED | STOPPED | FAILED; finished ones are kept for holdfast.outbox_retention, of the initial ones of a known slot the last for ever';
COMMENT ON COLUMN holdfast.snapshot_run.slot IS 'of the relay that takes the snapshot';
COMMENT ON COLUMN holdfast.snapshot_run.snapshot_lsn IS 'initial: where the stream goes on behind what was read';
COMMENT ON COLUMN holdfast.snapshot_run.last_error IS 'why it FAILED or was STOPPED, if not by a person';

CREATE TABLE holdfast.snapshot_table (
    snapshot_id  bigint NOT NULL REFERENCES holdfast.snapshot_run ON DELETE CASCADE,
    ordinal      int NOT NULL,
    schema_name  name NOT NULL,
    table_name   name NOT NULL,
    condition    text,
    status       text NOT NULL DEFAULT 'REQUESTED' CHECK (status IN ('REQUESTED', 'RUNNING', 'COMPLETED', 'STOPPED')),
    key_columns  text[],
    last_key     text[],
    rows_sent    bigint NOT NULL DEFAULT 0,
    started_at   timestamptz,
    finished_at  timestamptz,
    PRIMARY KEY (snapshot_id, ordinal)
) WITH (fillfactor = 50);
COMMENT ON COLUMN holdfast.snapshot_table.key_columns IS 'name, type and collation of each column whose value last_key has: of another key, or in another order, it says nothing';
COMMENT ON TABLE holdfast.snapshot_table IS 'the tables of a snapshot, in the order in which an incremental one reads them; written once a chunk';
COMMENT ON COLUMN holdfast.snapshot_table.condition IS 'what a WHERE would say; runs with the rights of the relay''s role';
COMMENT ON COLUMN holdfast.snapshot_table.last_key IS 'the key columns, as text, of the last row that Kafka has; after a restart the relay goes on behind it';
COMMENT ON COLUMN holdfast.snapshot_table.rows_sent IS 'rows that Kafka has; of an incremental one without those whose change was streamed meanwhile';

CREATE TABLE holdfast.snapshot_notification (
    notification_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    snapshot_id      bigint NOT NULL REFERENCES holdfast.snapshot_run ON DELETE CASCADE,
    occurred_at      timestamptz NOT NULL DEFAULT now(),
    aggregate_type   text NOT NULL CHECK (aggregate_type IN ('Initial Snapshot', 'Incremental Snapshot')),
    type             text NOT NULL CHECK (type IN ('STARTED', 'IN_PROGRESS', 'TABLE_SCAN_COMPLETED', 'COMPLETED', 'ABORTED',
                                                   'PAUSED', 'RESUMED', 'FAILED')),
    data_collection  text,
    additional_data  jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX snapshot_notification_snapshot ON holdfast.snapshot_notification (snapshot_id);
CREATE UNIQUE INDEX snapshot_notification_progress ON holdfast.snapshot_notification (snapshot_id, data_collection)
    WHERE type = 'IN_PROGRESS';
COMMENT ON TABLE holdfast.snapshot_notification IS
    'what became of snapshots, in the words of Debezium''s notifications; gone with their run';
COMMENT ON COLUMN holdfast.snapshot_notification.notification_id IS 'rises: who remembers the last one that he has read finds what is new behind it';
COMMENT ON COLUMN holdfast.snapshot_notification.type IS 'as Debezium''s, and FAILED; of IN_PROGRESS a table has one row, the last';
COMMENT ON COLUMN holdfast.snapshot_notification.data_collection IS 'schema.table, quoted where SQL needs it; NULL: the snapshot as a whole';
COMMENT ON COLUMN holdfast.snapshot_notification.additional_data IS 'an object of strings, with Debezium''s names';

-- ---- Inside

CREATE FUNCTION holdfast.snapshot_signal(run holdfast.snapshot_run, action text) RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT pg_logical_emit_message(true, 'holdfast.snapshot', json_build_object(
        'slot', (run).slot, 'snapshot_id', (run).snapshot_id, 'action', snapshot_signal.action)::text);
END;
COMMENT ON FUNCTION holdfast.snapshot_signal IS
    'internal to snapshots: the logical message that tells a streaming relay, with this transaction, to look at its snapshots.';

CREATE FUNCTION holdfast.snapshot_notify(
    run holdfast.snapshot_run, type text, data_collection text DEFAULT NULL, additional_data jsonb DEFAULT '{}')
RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    collections text;
BEGIN
    SELECT string_agg(format('%I.%I', t.schema_name, t.table_name), ', ' ORDER BY t.ordinal) INTO collections
    FROM snapshot_table t WHERE t.snapshot_id = run.snapshot_id;
    INSERT INTO snapshot_notification (snapshot_id, aggregate_type, type, data_collection, additional_data)
    VALUES (run.snapshot_id, CASE run.kind WHEN 'initial' THEN 'Initial Snapshot' ELSE 'Incremental Snapshot' END,
            snapshot_notify.type, snapshot_notify.data_collection,
            jsonb_build_object('data_collections', coalesce(collections, '')) || snapshot_notify.additional_data)
    ON CONFLICT (snapshot_id, data_collection) WHERE type = 'IN_PROGRESS' DO UPDATE
        SET notification_id = DEFAULT, occurred_at = excluded.occurred_at, additional_data = excluded.additional_data;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_notify IS 'internal to snapshots: adds a notification; IN_PROGRESS of a table replaces its last.';

CREATE FUNCTION holdfast.snapshot_notify_scanned(run holdfast.snapshot_run, part holdfast.snapshot_table, status text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    collection text := format('%I.%I', part.schema_name, part.table_name);
BEGIN
    PERFORM snapshot_notify(run, 'TABLE_SCAN_COMPLETED', collection, jsonb_build_object(
        'scanned_collection', collection, 'total_rows_scanned', part.rows_sent::text, 'status', snapshot_notify_scanned.status));
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_notify_scanned IS
    'internal to snapshots: nothing more is read of a table; status as Debezium''s TableScanCompletionStatus: SUCCEEDED, SKIPPED.';

CREATE FUNCTION holdfast.snapshot_lock(snapshot_id bigint) RETURNS holdfast.snapshot_run
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
BEGIN
    IF snapshot_lock.snapshot_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'snapshot_id must not be null';
    END IF;
    SELECT * INTO run FROM snapshot_run r WHERE r.snapshot_id = snapshot_lock.snapshot_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF041',
            MESSAGE = format('snapshot %s does not exist', snapshot_lock.snapshot_id),
            HINT = 'SELECT * FROM holdfast.snapshots shows what there is.';
    END IF;
    RETURN run;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_lock(bigint) IS 'internal to snapshots: a run, locked; HF041 when there is none. Everybody locks the run before its tables.';

CREATE FUNCTION holdfast.snapshot_key("table" regclass) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT (SELECT array_agg(a.attname::text ORDER BY k.n)
            FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.n <= i.indnkeyatts)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = snapshot_key."table" AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL
      AND (t.relreplident <> 'i' OR i.indisreplident)
      AND NOT EXISTS (SELECT FROM ROWS FROM (unnest(i.indkey), unnest(i.indcollation)) WITH ORDINALITY AS k(attnum, coll, n)
                                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                                  LEFT JOIN pg_collation o ON o.oid = a.attcollation
                      WHERE k.n <= i.indnkeyatts AND (NOT a.attnotnull OR k.coll <> a.attcollation AND NOT o.collisdeterministic))
    ORDER BY i.indisreplident DESC, i.indisprimary DESC, x.relname
    LIMIT 1;
END;
COMMENT ON FUNCTION holdfast.snapshot_key(regclass) IS
    'internal to snapshots: the columns that a table is read by: of its replica identity index; without one of its primary key, else of its first unique index over NOT NULL columns. NULL: it has none.';

-- ---- For the relay

CREATE FUNCTION holdfast.snapshot_start(slot name, schemas text[], tables text[], snapshot_lsn pg_lsn) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
BEGIN
    IF num_nulls(snapshot_start.slot, schemas, tables) > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'slot, schemas and tables must not be null';
    END IF;
    IF cardinality(schemas) <> cardinality(tables) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF039',
            MESSAGE = format('%s tables have %s schemas', cardinality(tables), cardinality(schemas));
    END IF;
    INSERT INTO snapshot_run AS r (slot, kind, status, started_at, snapshot_lsn)
    VALUES (snapshot_start.slot, 'initial', 'RUNNING', now(), snapshot_start.snapshot_lsn)
    ON CONFLICT (slot) WHERE kind = 'initial' AND finished_at IS NULL DO NOTHING
    RETURNING * INTO run;
    IF run.snapshot_id IS NULL THEN
        -- Announced before its slot was made, and not begun.
        UPDATE snapshot_run r SET snapshot_lsn = snapshot_start.snapshot_lsn, started_at = now()
        WHERE r.slot = snapshot_start.slot AND r.kind = 'initial' AND r.finished_at IS NULL
          AND NOT EXISTS (SELECT FROM snapshot_table t WHERE t.snapshot_id = r.snapshot_id)
        RETURNING * INTO run;
    END IF;
    IF run.snapshot_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF041',
            MESSAGE = format('the initial snapshot of slot "%s" has not ended', snapshot_start.slot),
            HINT = 'The relay takes it to its end, or ends it with snapshot_end, before it begins another.';
    END IF;
    INSERT INTO snapshot_table (snapshot_id, ordinal, schema_name, table_name)
    SELECT run.snapshot_id, t.n, t.schema_name, t.table_name
    FROM unnest(schemas, tables) WITH ORDINALITY AS t(schema_name, table_name, n);
    PERFORM snapshot_notify(run, 'STARTED');
    RETURN run.snapshot_id;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_start IS
    'For the relay: an initial snapshot of these tables begins, numbered from 1 in their order. HF041 when the slot has one that has not ended.';

CREATE FUNCTION holdfast.snapshot_add(snapshot_id bigint, schema_name text, table_name text) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
    added int;
BEGIN
    IF num_nulls(snapshot_add.schema_name, snapshot_add.table_name) > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'schema_name and table_name must not be null';
    END IF;
    run := snapshot_lock(snapshot_add.snapshot_id);
    IF run.kind <> 'initial' OR run.finished_at IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF041',
            MESSAGE = format('snapshot %s is not an initial one that has not ended', run.snapshot_id);
    END IF;
    INSERT INTO snapshot_table (snapshot_id, ordinal, schema_name, table_name)
    SELECT run.snapshot_id, coalesce(max(t.ordinal), 0) + 1, snapshot_add.schema_name, snapshot_add.table_name
    FROM snapshot_table t WHERE t.snapshot_id = run.snapshot_id
    RETURNING ordinal INTO added;
    RETURN added;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_add IS
    'For the relay: a table that an unfinished initial snapshot is to read besides, because it was renamed or published since it began; its number. HF041 when the snapshot has ended.';

CREATE FUNCTION holdfast.snapshot_skip(snapshot_id bigint, ordinal int) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
    part snapshot_table;
BEGIN
    run := snapshot_lock(snapshot_skip.snapshot_id);
    -- Under another name its changes go elsewhere: should it come back, its rows are read from the first one on.
    UPDATE snapshot_table t SET status = 'STOPPED', last_key = NULL, finished_at = now()
    WHERE t.snapshot_id = run.snapshot_id AND t.ordinal = snapshot_skip.ordinal AND t.status IN ('REQUESTED', 'RUNNING')
    RETURNING * INTO part;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM snapshot_notify_scanned(run, part, 'SKIPPED');
    RETURN true;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_skip IS
    'For the relay: a table of an unfinished snapshot is gone, which goes on without the rest of it; false when nothing was to be read of it any more.';

CREATE FUNCTION holdfast.snapshot_progress(
    snapshot_id bigint, ordinal int, last_key text[], rows_sent bigint, completed boolean, key_columns text[] DEFAULT NULL)
RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
    part snapshot_table;
    collection text;
BEGIN
    IF num_nulls(snapshot_progress.rows_sent, completed) > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'rows_sent and completed must not be null';
    END IF;
    run := snapshot_lock(snapshot_progress.snapshot_id);
    -- A run that was stopped meanwhile stays so; that Kafka has the rows is true nevertheless.
    UPDATE snapshot_table t
    SET last_key = coalesce(snapshot_progress.last_key, t.last_key),
        key_columns = coalesce(snapshot_progress.key_columns, t.key_columns), rows_sent = snapshot_progress.rows_sent,
        status = CASE WHEN run.finished_at IS NOT NULL OR t.status = 'COMPLETED' THEN t.status
                      WHEN completed THEN 'COMPLETED' ELSE 'RUNNING' END,
        started_at = coalesce(t.started_at, now()),
        finished_at = CASE WHEN run.finished_at IS NOT NULL OR t.status = 'COMPLETED' THEN t.finished_at
                           WHEN completed THEN now() END
    WHERE t.snapshot_id = run.snapshot_id AND t.ordinal = snapshot_progress.ordinal
    RETURNING * INTO part;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF041',
            MESSAGE = format('snapshot %s has no table %s', run.snapshot_id, coalesce(snapshot_progress.ordinal::text, 'NULL'));
    END IF;
    IF run.finished_at IS NULL THEN
        IF completed THEN
            PERFORM snapshot_notify_scanned(run, part, 'SUCCEEDED');
        ELSE
            collection := format('%I.%I', part.schema_name, part.table_name);
            PERFORM snapshot_notify(run, 'IN_PROGRESS', collection, jsonb_strip_nulls(jsonb_build_object(
                'current_collection_in_progress', collection,
                'last_processed_key', array_to_string(part.last_key, ','))));
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_progress IS
    'For the relay: what Kafka has of a table so far; last_key NULL leaves it as it was. completed: there is nothing left of it.';

CREATE FUNCTION holdfast.snapshot_end(snapshot_id bigint, status text, error text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
    unread text;
BEGIN
    IF snapshot_end.status IS NULL OR snapshot_end.status NOT IN ('COMPLETED', 'STOPPED', 'FAILED') THEN
        RAISE EXCEPTION USING ERRCODE = 'HF041',
            MESSAGE = format('a snapshot ends as COMPLETED, STOPPED or FAILED, not as %s', coalesce(snapshot_end.status, 'NULL'));
    END IF;
    run := snapshot_lock(snapshot_end.snapshot_id);
    IF run.finished_at IS NOT NULL THEN
        RETURN;  -- stopped by a person, say: what came first counts
    END IF;
    IF snapshot_end.status = 'COMPLETED' THEN
        SELECT string_agg(format('%I.%I', t.schema_name, t.table_name), ', ' ORDER BY t.ordinal) INTO unread
        FROM snapshot_table t WHERE t.snapshot_id = run.snapshot_id AND t.status IN ('REQUESTED', 'RUNNING');
        IF unread IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF041',
                MESSAGE = format('snapshot %s is not complete: %s', run.snapshot_id, unread);
        END IF;
    END IF;
    UPDATE snapshot_table t SET status = 'STOPPED', finished_at = now()
    WHERE t.snapshot_id = run.snapshot_id AND t.status IN ('REQUESTED', 'RUNNING');
    UPDATE snapshot_run r SET status = snapshot_end.status, finished_at = now(), last_error = error
    WHERE r.snapshot_id = run.snapshot_id;
    PERFORM snapshot_notify(run, CASE snapshot_end.status WHEN 'STOPPED' THEN 'ABORTED' ELSE snapshot_end.status END,
                            NULL, jsonb_strip_nulls(jsonb_build_object('error', error)));
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_end(bigint, text, text) IS
    'For the relay: a snapshot is over: COMPLETED (HF041 when a table is not), STOPPED or FAILED, with the reason. One that is over already stays what it is.';

CREATE FUNCTION holdfast.snapshot_next(
    slot name, OUT snapshot_id bigint, OUT ordinal int, OUT schema_name name, OUT table_name name, OUT condition text,
    OUT last_key text[], OUT rows_sent bigint, OUT key_columns text[])
RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
BEGIN
    FOR run IN
        SELECT * FROM snapshot_run r
        WHERE r.slot = snapshot_next.slot AND r.kind = 'incremental' AND r.status IN ('REQUESTED', 'RUNNING')
        ORDER BY r.snapshot_id FOR UPDATE
    LOOP
        IF run.started_at IS NULL THEN
            PERFORM snapshot_notify(run, 'STARTED');
        END IF;
        UPDATE snapshot_run r SET status = 'RUNNING', started_at = coalesce(r.started_at, now())
        WHERE r.snapshot_id = run.snapshot_id AND r.status = 'REQUESTED';
        UPDATE snapshot_table t SET status = 'RUNNING', started_at = coalesce(t.started_at, now())
        WHERE t.snapshot_id = run.snapshot_id
          AND t.ordinal = (SELECT min(u.ordinal) FROM snapshot_table u
                           WHERE u.snapshot_id = run.snapshot_id AND u.status IN ('REQUESTED', 'RUNNING'))
        RETURNING t.snapshot_id, t.ordinal, t.schema_name, t.table_name, t.condition, t.last_key, t.rows_sent, t.key_columns
        INTO snapshot_next.snapshot_id, snapshot_next.ordinal, snapshot_next.schema_name, snapshot_next.table_name,
             snapshot_next.condition, snapshot_next.last_key, snapshot_next.rows_sent, snapshot_next.key_columns;
        IF FOUND THEN
            RETURN NEXT;
            RETURN;
        END IF;
        PERFORM snapshot_end(run.snapshot_id, 'COMPLETED', NULL);
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_next(name) IS
    'For the relay: the table that the oldest incremental snapshot of the slot is at, and how far; both are RUNNING from then on. A snapshot whose tables are all done is COMPLETED by it. No row: there is nothing to do.';

-- ---- Upkeep

CREATE FUNCTION holdfast.forget_snapshots() RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM snapshot_run r
    WHERE r.finished_at < now() - current_setting('holdfast.outbox_retention')::interval
      -- The last initial one says that its slot has had one.
      AND (r.kind <> 'initial'
           OR NOT EXISTS (SELECT FROM relay_state s WHERE s.slot = r.slot)
           OR EXISTS (SELECT FROM snapshot_run o
                      WHERE o.slot = r.slot AND o.kind = 'initial' AND o.snapshot_id > r.snapshot_id));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION holdfast.forget_snapshots() IS
    'internal to maintain: removes snapshots that ended long enough ago, with their notifications, but not the last initial one of a known slot.';

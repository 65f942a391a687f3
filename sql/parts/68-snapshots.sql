-- Part 68: snapshots.  The relay reads tables that exist already and sends their rows: before it streams
-- (initial), or while it does (incremental).  These tables are all that it knows about that after a restart;
-- people ask here for incremental ones.  What a request, a pause or a stop writes is the truth; the logical
-- message with it wakes a relay that has nothing else to do, and never becomes an event.

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

-- ---- For people

CREATE FUNCTION holdfast.snapshot_collections(data_collection text)
RETURNS TABLE (ordinal int, schema_name name, table_name name)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    part text;
    names text[];
    seen oid[] := '{}';
    found_table record;
    root text;
BEGIN
    IF data_collection IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'data_collection must not be null',
            HINT = 'Name tables as schema.table, separated by commas.';
    END IF;
    ordinal := 0;
    -- At commas with an even number of quotes behind them.
    FOR part IN
        SELECT btrim(p, E' \t\r\n') FROM regexp_split_to_table(data_collection, ',(?=(?:[^"]*"[^"]*")*[^"]*$)') AS p
    LOOP
        BEGIN
            names := parse_ident(part);
        EXCEPTION WHEN invalid_parameter_value THEN
            names := NULL;
        END;
        IF cardinality(names) IS DISTINCT FROM 2 THEN
            RAISE EXCEPTION USING ERRCODE = 'HF039',
                MESSAGE = format('"%s" is not a table as schema.table', part),
                HINT = 'Quote names as SQL does, "Sales"."Orders", and separate tables by commas.';
        END IF;
        SELECT c.oid, c.relkind, format('%I.%I', names[1], names[2]) AS name INTO found_table
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = names[1] AND c.relname = names[2];
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'HF039', MESSAGE = format('table %I.%I does not exist', names[1], names[2]);
        END IF;
        IF found_table.relkind NOT IN ('r', 'p') THEN
            RAISE EXCEPTION USING ERRCODE = 'HF039', MESSAGE = format('%s is not a table', found_table.name);
        END IF;
        IF found_table.oid = ANY (seen) THEN
            RAISE EXCEPTION USING ERRCODE = 'HF039', MESSAGE = format('table %s is named twice', found_table.name);
        END IF;
        IF NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.schemaname = names[1] AND p.tablename = names[2]) THEN
            SELECT format('%I.%I', p.schemaname, p.tablename) INTO root
            FROM pg_partition_ancestors(found_table.oid) a(relid) JOIN pg_class c ON c.oid = a.relid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname
            LIMIT 1;
            RAISE EXCEPTION USING ERRCODE = 'HF039',
                MESSAGE = format('table %s is not published', found_table.name),
                HINT = coalesce('It is published as part of ' || root || ': ask for that.',
                                'The relay sends what its publication has: ALTER PUBLICATION ... ADD TABLE ... first.');
        END IF;
        IF snapshot_key(found_table.oid) IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF039',
                MESSAGE = format('table %s has no key to read it by', found_table.name),
                HINT = 'Add a primary key, or ALTER TABLE ... REPLICA IDENTITY USING INDEX ...';
        END IF;
        seen := seen || found_table.oid;
        ordinal := ordinal + 1;
        schema_name := names[1];
        table_name := names[2];
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_collections(text) IS
    'internal to snapshot: the tables of a request; HF039 when one does not exist, is not published or has no key.';

CREATE FUNCTION holdfast.snapshot_request(data_collection text, condition text, slot name) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
    slots name[];
BEGIN
    SELECT coalesce(array_agg(s.slot ORDER BY s.slot), '{}') INTO slots FROM relay_state s;
    IF snapshot_request.slot IS NULL AND cardinality(slots) <> 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF040',
            MESSAGE = CASE cardinality(slots) WHEN 0 THEN 'no relay has reported yet'
                                              ELSE format('there are several slots: %s', array_to_string(slots, ', ')) END,
            HINT = 'Say which relay is to take the snapshot: slot => ''name''.';
    END IF;
    IF snapshot_request.slot <> ALL (slots)
       AND NOT EXISTS (SELECT FROM pg_replication_slots s
                       WHERE s.slot_name = snapshot_request.slot AND s.database = current_database()) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF040',
            MESSAGE = format('slot "%s" does not exist, and no relay has reported it', snapshot_request.slot),
            HINT = format('Relays have reported: %s.', coalesce(nullif(array_to_string(slots, ', '), ''), 'none'));
    END IF;
    INSERT INTO snapshot_run AS r (slot, kind, status)
    VALUES (coalesce(snapshot_request.slot, slots[1]), 'incremental', 'REQUESTED')
    RETURNING * INTO run;
    INSERT INTO snapshot_table (snapshot_id, ordinal, schema_name, table_name, condition)
    SELECT run.snapshot_id, c.ordinal, c.schema_name, c.table_name, snapshot_request.condition
    FROM snapshot_collections(data_collection) c;
    PERFORM snapshot_signal(run, 'execute-snapshot');
    RETURN run.snapshot_id;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_request IS 'internal to snapshot, which has checked the condition with the caller''s rights: writes the request.';

CREATE PROCEDURE holdfast.snapshot(
    data_collection text, condition text DEFAULT NULL, slot name DEFAULT NULL, INOUT snapshot_id bigint DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    wanted text := nullif(regexp_replace(btrim(condition, E' \t\r\n'), '^where\M\s*', '', 'i'), '');
    part record;
    framed text;
    probe refcursor;
BEGIN
    FOR part IN SELECT c.schema_name, c.table_name FROM holdfast.snapshot_collections(data_collection) c LOOP
        EXIT WHEN wanted IS NULL;
        BEGIN
            -- In parentheses, as the relay has it, and without: what closes one that it has not opened, or opens
            -- a quote or comment, passes one of the two at most.  A cursor takes a single SELECT.
            PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
            FOREACH framed IN ARRAY ARRAY['(' || wanted || ')', wanted] LOOP
                OPEN probe FOR EXECUTE format('SELECT FROM %I.%I WHERE ', part.schema_name, part.table_name)
                                       || framed || ' LIMIT 0';
                CLOSE probe;
            END LOOP;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE;
            WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
                RAISE EXCEPTION USING ERRCODE = 'HF039',
                    MESSAGE = format('the condition does not work for %I.%I: %s', part.schema_name, part.table_name, SQLERRM),
                    HINT = 'It is what a WHERE would say, one expression without comments; names outside of pg_catalog need their schema.';
        END;
        PERFORM set_config('search_path', 'pg_catalog, holdfast, pg_temp', true);
    END LOOP;
    snapshot_id := holdfast.snapshot_request(data_collection, wanted, slot);
END
$$;
COMMENT ON PROCEDURE holdfast.snapshot IS
    'Asks the relay for an incremental snapshot: of schema.table, or several separated by commas, of the rows that the condition is true for (with or without WHERE; it must work for the caller, and is run with the rights of the relay''s role). slot: of the relay, when several have reported. HF039: no table that can be read so, or no condition; HF040: no such slot.';

CREATE FUNCTION holdfast.snapshot_steer(action text, snapshot_id bigint, slot name) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run snapshot_run;
    steered bigint := 0;
BEGIN
    IF snapshot_steer.snapshot_id IS NOT NULL THEN
        run := snapshot_lock(snapshot_steer.snapshot_id);
        IF run.slot <> snapshot_steer.slot THEN
            RAISE EXCEPTION USING ERRCODE = 'HF041',
                MESSAGE = format('snapshot %s is of slot "%s", not of "%s"', run.snapshot_id, run.slot, snapshot_steer.slot);
        ELSIF run.kind = 'initial' THEN
            RAISE EXCEPTION USING ERRCODE = 'HF041',
                MESSAGE = format('snapshot %s is an initial one: it can only be taken to its end', run.snapshot_id),
                HINT = 'Stop the relay to interrupt it; it goes on where it was. forget_slot ends that of a relay that will not come back.';
        ELSIF run.finished_at IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF041',
                MESSAGE = format('snapshot %s is %s already', run.snapshot_id, run.status);
        END IF;
    END IF;
    FOR run IN
        SELECT * FROM snapshot_run r
        WHERE r.kind = 'incremental' AND r.finished_at IS NULL
          AND (snapshot_steer.snapshot_id IS NULL OR r.snapshot_id = snapshot_steer.snapshot_id)
          AND (snapshot_steer.slot IS NULL OR r.slot = snapshot_steer.slot)
          AND CASE snapshot_steer.action WHEN 'pause' THEN r.status <> 'PAUSED' WHEN 'resume' THEN r.status = 'PAUSED' ELSE true END
        ORDER BY r.snapshot_id FOR UPDATE
    LOOP
        IF snapshot_steer.action = 'stop' THEN
            PERFORM snapshot_end(run.snapshot_id, 'STOPPED', NULL);
        ELSE
            UPDATE snapshot_run r
            SET status = CASE WHEN snapshot_steer.action = 'pause' THEN 'PAUSED'
                              WHEN r.started_at IS NULL THEN 'REQUESTED' ELSE 'RUNNING' END
            WHERE r.snapshot_id = run.snapshot_id;
            PERFORM snapshot_notify(run, CASE snapshot_steer.action WHEN 'pause' THEN 'PAUSED' ELSE 'RESUMED' END);
        END IF;
        PERFORM snapshot_signal(run, snapshot_steer.action || '-snapshot');
        steered := steered + 1;
    END LOOP;
    RETURN steered;
END
$$;
COMMENT ON FUNCTION holdfast.snapshot_steer IS 'internal to snapshot_pause, snapshot_resume and snapshot_stop.';

CREATE FUNCTION holdfast.snapshot_pause(snapshot_id bigint DEFAULT NULL, slot name DEFAULT NULL) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN holdfast.snapshot_steer('pause', snapshot_id, slot);
COMMENT ON FUNCTION holdfast.snapshot_pause(bigint, name) IS
    'The incremental snapshot, or all that have not ended (of the slot), wait after the chunk that they are at. Returns how many were not PAUSED already; HF041 when the one that is named cannot be.';

CREATE FUNCTION holdfast.snapshot_resume(snapshot_id bigint DEFAULT NULL, slot name DEFAULT NULL) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN holdfast.snapshot_steer('resume', snapshot_id, slot);
COMMENT ON FUNCTION holdfast.snapshot_resume(bigint, name) IS
    'The PAUSED incremental snapshot, or all of them (of the slot), go on where they were. Returns how many; HF041 as snapshot_pause.';

CREATE FUNCTION holdfast.snapshot_stop(snapshot_id bigint DEFAULT NULL, slot name DEFAULT NULL) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN holdfast.snapshot_steer('stop', snapshot_id, slot);
COMMENT ON FUNCTION holdfast.snapshot_stop(bigint, name) IS
    'The incremental snapshot, or all that have not ended (of the slot), are STOPPED for good; what was sent stays sent. Returns how many; HF041 as snapshot_pause.';

CREATE VIEW holdfast.snapshots AS
    SELECT r.snapshot_id, r.slot, r.kind, r.status, t.ordinal, format('%I.%I', t.schema_name, t.table_name) AS data_collection,
           t.condition, t.status AS table_status, t.rows_sent, t.last_key, r.requested_by, r.requested_at,
           t.started_at, t.finished_at, r.last_error
    FROM holdfast.snapshot_run r JOIN holdfast.snapshot_table t ON t.snapshot_id = r.snapshot_id
    ORDER BY r.snapshot_id DESC, t.ordinal;
COMMENT ON VIEW holdfast.snapshots IS 'The tables of each snapshot: how far it is, what became of it; the newest first.';
COMMENT ON COLUMN holdfast.snapshots.status IS 'of the snapshot: REQUESTED, RUNNING, PAUSED, COMPLETED, STOPPED, FAILED';
COMMENT ON COLUMN holdfast.snapshots.table_status IS 'REQUESTED, RUNNING, COMPLETED, or STOPPED: with its snapshot, or because the table is gone';
COMMENT ON COLUMN holdfast.snapshots.rows_sent IS 'rows that Kafka has';
COMMENT ON COLUMN holdfast.snapshots.started_at IS 'of the table, as finished_at';

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

-- Part 69: snapshots to ask for, to steer and to look at.

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

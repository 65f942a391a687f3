-- Part 65: what a person does about dead letters.  Handlers run with the rights of whoever redrives.  SQL
-- calls no HTTP endpoint: what is for one is QUEUED, and the relay delivers it (part 66).  And what becomes of
-- messages that a handler found too early (HF027): they are EARLY, and tried again.

CREATE FUNCTION holdfast.is_endpoint(handler text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN starts_with(handler, 'POST ');
COMMENT ON FUNCTION holdfast.is_endpoint(text) IS
    'True for the handler of a dead letter that is an HTTP endpoint; a procedure''s name has no space outside of quotes.';

CREATE FUNCTION holdfast.dead_letter_lock(id bigint, queued_too boolean DEFAULT false) RETURNS holdfast.dead_letter_entry
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    entry dead_letter_entry;
    ahead bigint;
BEGIN
    IF dead_letter_lock.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'id of a dead letter must not be null';
    END IF;
    SELECT * INTO entry FROM dead_letter_entry d WHERE d.id = dead_letter_lock.id;
    -- The block first: inbox_apply() holds it while it parks, and must have finished.
    PERFORM FROM inbox_block b
    WHERE b.consumer = entry.consumer AND b.topic = entry.topic AND b.key = short_key(entry.key) FOR UPDATE;
    SELECT * INTO entry FROM dead_letter_entry d WHERE d.id = dead_letter_lock.id FOR UPDATE;

    IF entry.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF021', MESSAGE = format('dead letter %s does not exist', dead_letter_lock.id);
    ELSIF entry.status = 'PARKED' THEN
        SELECT d.id INTO ahead FROM dead_letter_entry d
        WHERE d.consumer = entry.consumer AND d.topic = entry.topic AND left(d.key, 200) = left(entry.key, 200)
          AND d.key = entry.key AND d.status IN ('DEAD', 'EARLY', 'QUEUED');
        RAISE EXCEPTION USING ERRCODE = 'HF021',
            MESSAGE = format('dead letter %s is parked behind %s', entry.id, ahead),
            HINT = 'Redrive or discard that one; this one follows it.';
    ELSIF entry.status NOT IN ('DEAD', 'EARLY') AND (entry.status <> 'QUEUED' OR NOT queued_too) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF021',
            MESSAGE = format('dead letter %s is %s already', entry.id, entry.status);
    END IF;
    RETURN entry;
END
$$;
COMMENT ON FUNCTION holdfast.dead_letter_lock(bigint, boolean) IS
    'internal to redrive and discard: the DEAD or EARLY (or QUEUED, where asked for) entry and the block of its key, locked.';

CREATE FUNCTION holdfast.dead_letter_next(consumer text, topic text, key text) RETURNS holdfast.dead_letter_entry
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    entry dead_letter_entry;
BEGIN
    SELECT * INTO entry FROM dead_letter_entry d
    WHERE d.consumer = dead_letter_next.consumer AND d.topic = dead_letter_next.topic
      AND left(d.key, 200) = left(dead_letter_next.key, 200) AND d.key = dead_letter_next.key
      AND d.status = 'PARKED'
    ORDER BY d.id LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        DELETE FROM inbox_block b
        WHERE b.consumer = dead_letter_next.consumer AND b.topic = dead_letter_next.topic
          AND b.key = short_key(dead_letter_next.key);
    END IF;
    RETURN entry;
END
$$;
COMMENT ON FUNCTION holdfast.dead_letter_next IS
    'internal to redrive, discard and notify_settle: the first message parked for the key; when there is none, the key is free again.';

CREATE FUNCTION holdfast.dead_letter_settle(
    id bigint, status text, note text, error_sqlstate text, error_message text)
RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    before dead_letter_entry;
    entry dead_letter_entry;
BEGIN
    SELECT * INTO STRICT before FROM dead_letter_entry d WHERE d.id = dead_letter_settle.id FOR UPDATE;
    UPDATE dead_letter_entry d
    SET status = dead_letter_settle.status,
        note = coalesce(dead_letter_settle.note, d.note),
        sqlstate = coalesce(error_sqlstate, d.sqlstate),
        message = coalesce(error_message, d.message),
        -- A queued delivery was counted when the relay took it.
        attempts = d.attempts + CASE WHEN before.status = 'QUEUED' OR dead_letter_settle.status IN ('DISCARDED', 'QUEUED')
                                     THEN 0 ELSE 1 END,
        due_at = CASE dead_letter_settle.status WHEN 'QUEUED' THEN now() WHEN 'EARLY' THEN now() + interval '1 second' END,
        resolved_by = CASE WHEN dead_letter_settle.status NOT IN ('DEAD', 'EARLY', 'QUEUED') THEN session_user END,
        resolved_at = CASE WHEN dead_letter_settle.status NOT IN ('DEAD', 'EARLY', 'QUEUED') THEN now() END
    WHERE d.id = before.id
    RETURNING * INTO entry;
    UPDATE inbox_seen s SET outcome = CASE entry.status WHEN 'REDRIVEN' THEN 'APPLIED' WHEN 'QUEUED' THEN s.outcome
                                                        WHEN 'EARLY' THEN 'EARLY'
                                                        ELSE 'DEAD' END
    WHERE s.consumer = entry.consumer AND s.event_id = entry.event_id;
    -- One that was parked has failed for the first time: an entry has an SQLSTATE since it did.  One that was
    -- early was not published yet.
    IF (before.sqlstate IS NULL OR before.status = 'EARLY') AND entry.status = 'DEAD' THEN
        PERFORM publish_dead_letter(entry);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.dead_letter_settle IS 'internal to redrive, discard and notify_settle: what became of an entry.';

CREATE FUNCTION holdfast.dead_letter_retry(entry holdfast.dead_letter_entry, OUT error_sqlstate text, OUT error_message text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    handler pg_proc;
BEGIN
    SELECT p.* INTO handler
    FROM pg_proc p WHERE p.oid = to_regprocedure(entry.handler || '(text, jsonb, jsonb)');
    IF handler.oid IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF021',
            MESSAGE = format('handler %s of dead letter %s does not exist', entry.handler, entry.id);
    END IF;
    -- The handler's name came with the message, from the role that consumes.  What that role could have
    -- written itself must not run with another's rights.
    IF entry.recorded_by <> session_user
       AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = entry.recorded_by AND r.rolsuper)
       AND (NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = entry.recorded_by)
            OR pg_has_role(entry.recorded_by, handler.proowner, 'MEMBER')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('handler %s could be changed by role "%s" and is run only by it', entry.handler, entry.recorded_by);
    END IF;

    IF entry.encoding = 'base64' THEN
        error_sqlstate := '22021';
        error_message := 'the message is not valid UTF-8';
        RETURN;
    END IF;
    BEGIN
        EXECUTE format(CASE handler.prokind WHEN 'p' THEN 'CALL %s($1, $2::jsonb, $3)'
                                            ELSE 'SELECT %s($1, $2::jsonb, $3)' END, entry.handler)
        USING entry.key, entry.value, entry.headers;
        SET CONSTRAINTS ALL IMMEDIATE;
    EXCEPTION WHEN OTHERS THEN
        IF is_transient(SQLSTATE) THEN
            RAISE;
        END IF;
        error_sqlstate := SQLSTATE;
        error_message := SQLERRM;
    END;
END
$$;
COMMENT ON FUNCTION holdfast.dead_letter_retry IS 'internal to redrive and discard: calls the handler; no error: it worked.';

CREATE FUNCTION holdfast.dead_letter_follow(consumer text, topic text, key text)
RETURNS TABLE (id bigint, outcome text, message text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    entry dead_letter_entry;
    error record;
BEGIN
    IF key IS NULL THEN
        RETURN;
    END IF;
    LOOP
        entry := dead_letter_next(consumer, topic, key);
        EXIT WHEN entry.id IS NULL;
        id := entry.id;
        IF is_endpoint(entry.handler) THEN
            PERFORM dead_letter_settle(entry.id, 'QUEUED', NULL, NULL, NULL);
            outcome := 'QUEUED';
            message := 'a relay with this binding delivers it, and then what is parked behind it';
            RETURN NEXT;
            EXIT;
        END IF;
        error := dead_letter_retry(entry);
        outcome := CASE WHEN error.error_sqlstate IS NULL THEN 'REDRIVEN'
                        WHEN error.error_sqlstate = 'HF027' AND early_retention() > interval '0' THEN 'EARLY'
                        ELSE 'DEAD' END;
        message := error.error_message;
        PERFORM dead_letter_settle(entry.id, outcome, NULL, error.error_sqlstate, error.error_message);
        RETURN NEXT;
        EXIT WHEN outcome <> 'REDRIVEN';
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.dead_letter_follow IS
    'internal to redrive and discard: applies the messages parked for a key, in order, up to one that fails or that the relay has to deliver.';

CREATE FUNCTION holdfast.redrive(INOUT id bigint, OUT outcome text, OUT message text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    entry dead_letter_entry := dead_letter_lock(id);
    error record;
BEGIN
    IF entry.handler = 'KAFKA' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF021',
            MESSAGE = format('dead letter %s was too large for topic %s', entry.id, entry.topic),
            HINT = 'Raise max.message.bytes of the topic, publish it again (an outbox event: replay(first_id => ..., last_id => ...)), then discard this.';
    END IF;
    IF is_endpoint(entry.handler) THEN
        PERFORM dead_letter_settle(entry.id, 'QUEUED', NULL, NULL, NULL);
        outcome := 'QUEUED';
        message := 'a relay with this binding delivers it, and then what is parked behind it';
        RETURN NEXT;
        RETURN;
    END IF;
    error := dead_letter_retry(entry);
    outcome := CASE WHEN error.error_sqlstate IS NULL THEN 'REDRIVEN' ELSE 'DEAD' END;
    message := error.error_message;
    PERFORM dead_letter_settle(entry.id, outcome, NULL, error.error_sqlstate, error.error_message);
    RETURN NEXT;
    IF outcome = 'REDRIVEN' THEN
        RETURN QUERY SELECT * FROM dead_letter_follow(entry.consumer, entry.topic, entry.key);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.redrive(bigint) IS
    'Calls the handler of a dead letter again, and, when it works, those of the messages parked behind it, in order. One row each: REDRIVEN, or DEAD with the error. What is for an HTTP endpoint is QUEUED: the relay delivers it again, and what is parked behind it.';

CREATE FUNCTION holdfast.discard(INOUT id bigint, note text, OUT outcome text, OUT message text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    entry dead_letter_entry;
BEGIN
    IF note IS NULL OR note = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'discarding a dead letter needs a note';
    END IF;
    entry := dead_letter_lock(id, queued_too => true);
    PERFORM dead_letter_settle(entry.id, 'DISCARDED', note, NULL, NULL);
    outcome := 'DISCARDED';
    message := note;
    RETURN NEXT;
    RETURN QUERY SELECT * FROM dead_letter_follow(entry.consumer, entry.topic, entry.key);
END
$$;
COMMENT ON FUNCTION holdfast.discard(bigint, text) IS
    'Gives a dead letter up, with a note why, and applies the messages parked behind it, in order.';

-- ---- Messages that came before what they are about ----------------------------------------------

CREATE FUNCTION holdfast.early_retention() RETURNS interval
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    -- uuid_v7() loads the library, and with it the setting.
    SELECT current_setting('holdfast.early_retention')::interval FROM (SELECT holdfast.uuid_v7() OFFSET 0) AS loaded(id);
END;
COMMENT ON FUNCTION holdfast.early_retention() IS 'holdfast.early_retention; zero: a message that comes too early is a dead letter at once.';

CREATE FUNCTION holdfast.early_take() RETURNS holdfast.dead_letter_entry
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    candidate dead_letter_entry;
    entry dead_letter_entry;
BEGIN
    FOR candidate IN
        SELECT * FROM dead_letter_entry d WHERE d.status = 'EARLY' AND d.due_at <= now() ORDER BY d.due_at LIMIT 100
    LOOP
        -- The block first, as everybody does.
        IF candidate.key IS NOT NULL THEN
            PERFORM FROM inbox_block b
            WHERE b.consumer = candidate.consumer AND b.topic = candidate.topic AND b.key = short_key(candidate.key)
            FOR UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
        END IF;
        SELECT * INTO entry FROM dead_letter_entry d
        WHERE d.id = candidate.id AND d.status = 'EARLY' AND d.due_at <= now() FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            RETURN entry;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION holdfast.early_take() IS 'internal to retry_early: an EARLY entry that is due, and the block of its key, locked.';

CREATE FUNCTION holdfast.early_again(id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    UPDATE dead_letter_entry d
    SET attempts = d.attempts + 1, due_at = now() + least(interval '1 second' * 2 ^ least(d.attempts, 5), interval '30 seconds')
    WHERE d.id = early_again.id AND d.recorded_at + early_retention() > now();
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION holdfast.early_again(bigint) IS
    'internal to retry_early: it is still too early, and due again after 1 s, doubling up to 30 s. False: it has been kept for long enough.';

CREATE FUNCTION holdfast.retry_early("limit" int DEFAULT 100) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    entry dead_letter_entry;
    error record;
    tried int := 0;
BEGIN
    WHILE tried < "limit" LOOP
        entry := early_take();
        EXIT WHEN entry.id IS NULL;
        tried := tried + 1;
        BEGIN
            error := dead_letter_retry(entry);
        EXCEPTION WHEN insufficient_privilege OR SQLSTATE 'HF021' THEN
            PERFORM dead_letter_settle(entry.id, 'DEAD', NULL, SQLSTATE, SQLERRM);
            CONTINUE;
        END;
        IF error.error_sqlstate IS NULL THEN
            PERFORM dead_letter_settle(entry.id, 'REDRIVEN', NULL, NULL, NULL);
            PERFORM dead_letter_follow(entry.consumer, entry.topic, entry.key);
        ELSIF error.error_sqlstate <> 'HF027' OR NOT early_again(entry.id) THEN
            PERFORM dead_letter_settle(entry.id, 'DEAD', NULL, error.error_sqlstate, error.error_message);
        END IF;
    END LOOP;
    RETURN tried;
END
$$;
COMMENT ON FUNCTION holdfast.retry_early(int) IS
    'Calls the handlers of messages that came too early again, with the rights of the caller: those that are due. What is early for longer than holdfast.early_retention becomes a dead letter. Returns how many were tried; saga_sweep() calls it.';

CREATE VIEW holdfast.dead_letter AS
    SELECT d.id, d.status, d.consumer, d.topic, d."partition", d.kafka_offset, d.key, d.event_id, d.sqlstate,
           d.message, d.attempts, d.recorded_at, d.handler, d.value, d.encoding, d.headers,
           CASE WHEN d.status IN ('DEAD', 'EARLY', 'QUEUED') THEN (
               SELECT count(*) FROM holdfast.dead_letter_entry p
               WHERE p.consumer = d.consumer AND p.topic = d.topic AND left(p.key, 200) = left(d.key, 200)
                 AND p.key = d.key AND p.status = 'PARKED') END AS parked_behind
    FROM holdfast.dead_letter_entry d
    WHERE d.status IN ('DEAD', 'EARLY', 'PARKED', 'QUEUED')
    ORDER BY d.id;
COMMENT ON VIEW holdfast.dead_letter IS
    'Messages that wait for redrive(id) or discard(id, note), those parked behind them, those that came too early and are tried again, and those that the relay is to deliver again.';

-- Part 60: the inbox.  One transaction of the caller applies a batch of one topic partition: offset,
-- event ids, effects and dead letters together.  inbox_apply() runs with the caller's rights, and so do
-- the handlers that it calls; what it has to remember is written by the SECURITY DEFINER functions here.

CREATE FUNCTION holdfast.is_transient(state text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN left(state, 2) IN ('08', '40', '53', '55', '57', '58');
COMMENT ON FUNCTION holdfast.is_transient(text) IS
    'True for an SQLSTATE that says nothing about the message (connection, serialization, resources, locks, operator, system): to be retried, never a dead letter.';

CREATE FUNCTION holdfast.short_key(key text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    IF length(key) <= 200 THEN
        RETURN key;
    END IF;
    RETURN left(key, 130) || ':' || encode(sha256(convert_to(key, 'UTF8')), 'hex');
END
$$;
COMMENT ON FUNCTION holdfast.short_key(text) IS
    'A key or event id as indexes keep it: itself, or, longer than they take, its beginning and its SHA-256.';

CREATE FUNCTION holdfast.json_event_id(value text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    parsed jsonb;
BEGIN
    parsed := value;
    RETURN CASE WHEN jsonb_typeof(parsed) = 'object' THEN nullif(parsed->>'eventId', '') END;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION holdfast.json_event_id(text) IS 'eventId of a message; NULL when it has none or is no JSON.';

CREATE FUNCTION holdfast.inbox_claim(
    consumer text, topic text, "partition" int, initial_offset bigint, owner text)
RETURNS TABLE (next_offset bigint, owner_epoch bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF inbox_claim.consumer IS NULL OR inbox_claim.topic IS NULL OR inbox_claim."partition" IS NULL
       OR inbox_claim.initial_offset IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005',
            MESSAGE = 'consumer, topic, partition and initial_offset of a claim must not be null';
    END IF;
    RETURN QUERY
    INSERT INTO inbox_offset AS i (consumer, topic, "partition", next_offset, owner_epoch, owner)
    VALUES (inbox_claim.consumer, inbox_claim.topic, inbox_claim."partition", inbox_claim.initial_offset, 1,
            inbox_claim.owner)
    ON CONFLICT (consumer, topic, "partition") DO UPDATE
        SET owner_epoch = i.owner_epoch + 1, owner = excluded.owner, updated_at = now()
    RETURNING i.next_offset, i.owner_epoch;
END
$$;
COMMENT ON FUNCTION holdfast.inbox_claim IS
    'Makes the caller the owner of a topic partition and fences all before. Returns where to read on: initial_offset only if the partition was never claimed.';

CREATE FUNCTION holdfast.inbox_admit(
    consumer text, handler text, topic text, "partition" int, owner_epoch bigint, first_offset bigint,
    next_offset bigint, offsets bigint[], event_ids text[], keys text[], "values" text[], encodings text[],
    headers jsonb[])
RETURNS text[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    stored inbox_offset;
    this_week date;
    week_lock bigint;
    short_keys text[];
    seen text[];
    blocked text[];
    fresh text[];
    outcomes text[];
BEGIN
    UPDATE inbox_offset i SET next_offset = inbox_admit.next_offset, updated_at = now()
    WHERE i.consumer = inbox_admit.consumer AND i.topic = inbox_admit.topic
      AND i."partition" = inbox_admit."partition"
      AND i.owner_epoch = inbox_admit.owner_epoch AND i.next_offset = inbox_admit.first_offset;
    IF NOT FOUND THEN
        SELECT * INTO stored FROM inbox_offset i
        WHERE i.consumer = inbox_admit.consumer AND i.topic = inbox_admit.topic
          AND i."partition" = inbox_admit."partition";
        RAISE EXCEPTION USING ERRCODE = 'HF020',
            MESSAGE = format('batch of %s/%s at offset %s is fenced', topic, "partition", first_offset),
            DETAIL = CASE WHEN stored.consumer IS NULL THEN
                         format('Consumer "%s" has not claimed this partition.', consumer)
                     ELSE format('Stored are offset %s and owner epoch %s; the batch has epoch %s.',
                                 stored.next_offset, stored.owner_epoch, owner_epoch) END;
    END IF;
    IF cardinality(offsets) = 0 THEN
        RETURN '{}';
    END IF;

    -- An event that two transactions apply at once is stopped by the unique index of the week.  Across
    -- the turn of a week there are two indexes: whoever works in the new one first waits for those that
    -- still work in the old one.
    LOOP
        this_week := date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC')::date;
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('holdfast.inbox ' || consumer, this_week - date '2000-01-03'));
        EXIT WHEN this_week = date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC')::date;
    END LOOP;
    week_lock := hashtextextended('holdfast.inbox ' || consumer, this_week - 7 - date '2000-01-03');
    PERFORM pg_advisory_lock(week_lock);
    PERFORM pg_advisory_unlock(week_lock);

    -- One descent of the index per event: as = ANY (event_ids) the planner may filter all that the
    -- consumer ever saw.
    SELECT array_agg(s.event_id) INTO seen
    FROM unnest(event_ids) AS e(event_id)
         CROSS JOIN LATERAL (SELECT s.event_id FROM inbox_seen s
                             WHERE s.consumer = inbox_admit.consumer AND s.event_id = e.event_id LIMIT 1) s;

    SELECT array_agg(short_key(k.key) ORDER BY k.n) INTO short_keys FROM unnest(keys) WITH ORDINALITY AS k(key, n);

    -- The share lock keeps a redrive from ending the block while we park behind it.
    SELECT array_agg(b.key) INTO blocked
    FROM (SELECT DISTINCT k.key FROM unnest(short_keys) AS k(key) ORDER BY k.key) k
         CROSS JOIN LATERAL (SELECT b.key FROM inbox_block b
                             WHERE b.consumer = inbox_admit.consumer AND b.topic = inbox_admit.topic
                               AND b.key = k.key FOR SHARE) b;

    WITH added AS (
        INSERT INTO inbox_seen (consumer, event_id, week, topic, "partition", kafka_offset, key, outcome)
        SELECT inbox_admit.consumer, b.event_id, this_week, inbox_admit.topic, inbox_admit."partition",
               b.kafka_offset, b.key, CASE WHEN b.key = ANY (blocked) THEN 'PARKED' ELSE 'APPLIED' END
        FROM (SELECT DISTINCT ON (b.event_id) b.*
              FROM unnest(offsets, event_ids, short_keys) WITH ORDINALITY AS b(kafka_offset, event_id, key, n)
              WHERE b.event_id <> ALL (coalesce(seen, '{}'))
              ORDER BY b.event_id, b.n) b
        ORDER BY b.n
        ON CONFLICT DO NOTHING
        RETURNING event_id)
    SELECT array_agg(a.event_id) INTO fresh FROM added a;

    SELECT array_agg(CASE WHEN b.event_id IS DISTINCT FROM f.event_id THEN 'DUPLICATE'
                          WHEN b.earlier > 0 THEN 'DUPLICATE'
                          WHEN b.key = ANY (blocked) THEN 'PARKED'
                          ELSE 'NEW' END ORDER BY b.n)
    INTO outcomes
    FROM (SELECT b.*, row_number() OVER (PARTITION BY b.event_id ORDER BY b.n) - 1 AS earlier
          FROM unnest(event_ids, short_keys) WITH ORDINALITY AS b(event_id, key, n)) b
         LEFT JOIN unnest(fresh) AS f(event_id) ON f.event_id = b.event_id;

    IF blocked IS NOT NULL THEN
        INSERT INTO dead_letter_entry (consumer, handler, topic, "partition", kafka_offset, event_id, key, value,
                                       encoding, headers, status)
        SELECT inbox_admit.consumer, inbox_admit.handler, inbox_admit.topic, inbox_admit."partition",
               b.kafka_offset, b.event_id, b.key, b.value, coalesce(b.encoding, 'utf8'), b.headers, 'PARKED'
        FROM unnest(offsets, event_ids, keys, "values", encodings, headers, outcomes) WITH ORDINALITY
             AS b(kafka_offset, event_id, key, value, encoding, headers, outcome, n)
        WHERE b.outcome = 'PARKED'
        ORDER BY b.n;
    END IF;
    RETURN outcomes;
END
$$;
COMMENT ON FUNCTION holdfast.inbox_admit IS
    'internal to inbox_apply: guards and moves the offset, remembers the event ids, parks what is blocked. Per message: NEW, DUPLICATE or PARKED.';

CREATE FUNCTION holdfast.publish_dead_letter(entry holdfast.dead_letter_entry) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    event_id uuid := uuid_v7();
BEGIN
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    VALUES (event_id, entry.topic || '-dlq', coalesce(short_key(entry.key), ''), 'DeadLetter',
            -- What was too large for its topic was never there, and is too large for the other one too.
            event_dead_letter_v1(event_id, entry.id, entry.consumer, entry.topic, nullif(entry."partition", -1),
                nullif(entry.kafka_offset, -1), entry.key, CASE WHEN entry.handler <> 'KAFKA' THEN entry.value END,
                entry.encoding, entry.headers,
                CASE left(entry.sqlstate, 2) WHEN 'HF' THEN 'BUSINESS' WHEN '22' THEN 'FORMAT' ELSE 'TECHNICAL' END,
                entry.sqlstate, entry.message, entry.attempts),
            trace_headers(CASE WHEN jsonb_typeof(entry.headers) = 'object' THEN entry.headers->>'traceparent' END));
END
$$;
COMMENT ON FUNCTION holdfast.publish_dead_letter(holdfast.dead_letter_entry) IS 'Publishes a dead letter to <topic>-dlq.';

CREATE FUNCTION holdfast.inbox_refuse(
    consumer text, handler text, topic text, "partition" int, kafka_offset bigint, event_id text, key text,
    value text, encoding text, headers jsonb, status text, error_sqlstate text, message text)
RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    entry dead_letter_entry;
BEGIN
    INSERT INTO dead_letter_entry (consumer, handler, topic, "partition", kafka_offset, event_id, key, value,
                                   encoding, headers, status, sqlstate, message, attempts)
    VALUES (inbox_refuse.consumer, inbox_refuse.handler, inbox_refuse.topic, inbox_refuse."partition",
            inbox_refuse.kafka_offset, inbox_refuse.event_id, inbox_refuse.key, inbox_refuse.value,
            coalesce(inbox_refuse.encoding, 'utf8'), inbox_refuse.headers, inbox_refuse.status, error_sqlstate,
            inbox_refuse.message, CASE inbox_refuse.status WHEN 'DEAD' THEN 1 ELSE 0 END)
    RETURNING * INTO entry;
    IF entry.sqlstate = 'HF027' AND early_retention() > interval '0' THEN
        UPDATE dead_letter_entry d SET status = 'EARLY', due_at = now() + interval '1 second'
        WHERE d.id = entry.id RETURNING * INTO entry;
    END IF;

    UPDATE inbox_seen s SET outcome = entry.status
    WHERE s.consumer = entry.consumer AND s.event_id = entry.event_id;

    IF entry.status <> 'PARKED' AND entry.key IS NOT NULL THEN
        INSERT INTO inbox_block (consumer, topic, key)
        VALUES (entry.consumer, entry.topic, short_key(entry.key))
        ON CONFLICT DO NOTHING;
    END IF;
    IF entry.status = 'DEAD' THEN
        PERFORM publish_dead_letter(entry);
        IF entry.handler = 'holdfast.on_order_request' AND entry.encoding = 'utf8' THEN
            PERFORM fail_order_request(entry.value, entry.message);
        END IF;
    END IF;
    RETURN entry.status;
END
$$;
COMMENT ON FUNCTION holdfast.inbox_refuse IS
    'internal to inbox_apply: keeps a message as DEAD (and publishes it, and blocks its key), EARLY (the handler raised HF027: it blocks its key and is tried again) or PARKED. Returns which.';

CREATE FUNCTION holdfast.inbox_lock("values" text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    message text;
    value jsonb;
    order_ids bigint[] := '{}';
    product_ids bigint[] := '{}';
BEGIN
    FOREACH message IN ARRAY "values" LOOP
        BEGIN
            value := message::jsonb;
        EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
            CONTINUE;
        END;
        CONTINUE WHEN jsonb_typeof(value) IS DISTINCT FROM 'object';
        IF value->>'orderId' ~ '^[0-9]{1,18}$' THEN
            order_ids := order_ids || (value->>'orderId')::bigint;
        END IF;
        IF jsonb_typeof(value->'lines') = 'array' THEN
            product_ids := product_ids || ARRAY(
                SELECT (l->>'productId')::bigint FROM jsonb_array_elements(value->'lines') l
                WHERE jsonb_typeof(l) = 'object' AND l->>'productId' ~ '^-?[0-9]{1,18}$');
        END IF;
    END LOOP;
    PERFORM FROM orders o WHERE o.order_id = ANY (order_ids) ORDER BY o.order_id FOR NO KEY UPDATE;
    PERFORM FROM stock s
    WHERE s.product_id = ANY (product_ids || ARRAY(SELECT DISTINCT l.product_id FROM order_line l WHERE l.order_id = ANY (order_ids)))
    ORDER BY s.product_id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION holdfast.inbox_lock(text[]) IS
    'internal to inbox_apply: locks the orders and then the stock rows that messages name, each ascending, before handlers of this extension are called for one message after the other.';

CREATE FUNCTION holdfast.inbox_apply(
    consumer text, handler regprocedure, topic text, "partition" int, owner_epoch bigint, first_offset bigint,
    next_offset bigint, offsets bigint[], keys text[], "values" text[], encodings text[], headers jsonb[])
RETURNS TABLE (kafka_offset bigint, outcome text, sqlstate text, message text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    messages int := coalesce(cardinality(offsets), 0);
    name text;
    kind "char";
    batch_form text;
    one text;
    event_ids text[];
    outcomes text[];
    fresh int[];
    new_keys text[];
    new_values text[];
    new_headers jsonb[];
    one_by_one boolean;
    dead_keys text[] := '{}';
    i int;
BEGIN
    IF consumer IS NULL OR handler IS NULL OR topic IS NULL OR "partition" IS NULL OR owner_epoch IS NULL
       OR first_offset IS NULL OR next_offset IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005',
            MESSAGE = 'consumer, handler, topic, partition, epoch and offsets of a batch must not be null';
    END IF;
    IF coalesce(cardinality(keys), 0) <> messages OR coalesce(cardinality("values"), 0) <> messages
       OR coalesce(cardinality(headers), 0) <> messages
       OR (encodings IS NOT NULL AND cardinality(encodings) <> messages) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'the arrays of a batch must have one length';
    END IF;
    IF next_offset < first_offset OR EXISTS (
            SELECT FROM (SELECT o, lag(o, 1, first_offset - 1) OVER (ORDER BY n) AS before
                         FROM unnest(offsets) WITH ORDINALITY AS b(o, n)) b
            WHERE o IS NULL OR o <= before OR o >= next_offset) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001',
            MESSAGE = format('the offsets of a batch must rise from %s and stay below %s', first_offset, next_offset);
    END IF;

    SELECT format('%I.%I', n.nspname, p.proname), p.prokind,
           (SELECT format('%I.%I', n.nspname, b.proname) FROM pg_proc b
            WHERE b.pronamespace = p.pronamespace AND b.proname = p.proname || '_batch' AND b.prokind = 'f'
              AND b.proargtypes::text = format('%s %s %s', 'text[]'::regtype::oid, 'jsonb[]'::regtype::oid,
                                               'jsonb[]'::regtype::oid)
              AND b.proowner = p.proowner AND has_function_privilege(b.oid, 'EXECUTE'))
    INTO name, kind, batch_form
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.oid = handler AND p.prokind IN ('f', 'p')
      AND p.proargtypes::text = format('%s %s %s', 'text'::regtype::oid, 'jsonb'::regtype::oid, 'jsonb'::regtype::oid);
    IF name IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF025',
            MESSAGE = format('%s is not a handler', handler),
            DETAIL = 'A handler is a function or procedure with the arguments (key text, value jsonb, headers jsonb).';
    END IF;
    -- A missing grant is the binding's fault, not each message's.
    IF NOT has_function_privilege(handler, 'EXECUTE') THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied for handler %s', handler);
    END IF;
    one := CASE kind WHEN 'p' THEN format('CALL %s($1, $2::jsonb, $3)', name)
                     ELSE format('SELECT %s($1, $2::jsonb, $3)', name) END;

    SELECT array_agg(coalesce(short_key(nullif(b.headers->>'id', '')), short_key(json_event_id(b.value)),
                              format('%s/%s/%s', topic, "partition", b.o)) ORDER BY b.n)
    INTO event_ids
    FROM unnest(offsets, "values", headers) WITH ORDINALITY AS b(o, value, headers, n);

    outcomes := inbox_admit(consumer, name, topic, "partition", owner_epoch, first_offset, next_offset,
                            coalesce(offsets, '{}'), event_ids, keys, "values", encodings, headers);

    SELECT array_agg(b.n ORDER BY b.n), array_agg(b.key ORDER BY b.n), array_agg(b.value ORDER BY b.n),
           array_agg(b.headers ORDER BY b.n), bool_or(b.encoding = 'base64')
    INTO fresh, new_keys, new_values, new_headers, one_by_one
    FROM unnest(keys, "values", headers, encodings, outcomes) WITH ORDINALITY
         AS b(key, value, headers, encoding, outcome, n)
    WHERE b.outcome = 'NEW';

    -- All at once, in one subtransaction: the ordinary case.
    IF fresh IS NOT NULL AND NOT coalesce(one_by_one, false) THEN
        BEGIN
            IF batch_form IS NOT NULL THEN
                EXECUTE format('SELECT %s($1, $2::jsonb[], $3)', batch_form)
                USING new_keys, new_values, new_headers;
            ELSIF kind = 'f' THEN
                EXECUTE format('SELECT %s(b.key, b.value::jsonb, b.headers) FROM unnest($1, $2, $3) AS b(key, value, headers)', name)
                USING new_keys, new_values, new_headers;
            ELSE
                FOR i IN 1 .. cardinality(fresh) LOOP
                    EXECUTE one USING new_keys[i], new_values[i], new_headers[i];
                END LOOP;
            END IF;
            SET CONSTRAINTS ALL IMMEDIATE;
        EXCEPTION WHEN OTHERS THEN
            IF is_transient(SQLSTATE) THEN
                RAISE;
            END IF;
            one_by_one := true;
        END;
    END IF;

    -- One after the other they would lock stock in any order, and meet others in a circle.
    IF one_by_one AND starts_with(name, 'holdfast.') THEN
        PERFORM inbox_lock(new_values);
    END IF;
    FOR i IN 1 .. messages LOOP
        kafka_offset := offsets[i];
        outcome := outcomes[i];
        sqlstate := NULL;
        message := NULL;
        IF outcome = 'NEW' THEN
            outcome := 'APPLIED';
            IF one_by_one THEN
                IF keys[i] = ANY (dead_keys) THEN
                    outcome := 'PARKED';
                ELSIF encodings[i] = 'base64' THEN
                    outcome := 'DEAD';
                    sqlstate := '22021';
                    message := 'the message is not valid UTF-8';
                ELSE
                    BEGIN
                        EXECUTE one USING keys[i], "values"[i], headers[i];
                        SET CONSTRAINTS ALL IMMEDIATE;
                    EXCEPTION WHEN OTHERS THEN
                        IF is_transient(SQLSTATE) THEN
                            RAISE;
                        END IF;
                        outcome := 'DEAD';
                        inbox_apply.sqlstate := SQLSTATE;
                        message := SQLERRM;
                    END;
                END IF;
                IF outcome <> 'APPLIED' THEN
                    outcome := inbox_refuse(consumer, name, topic, "partition", offsets[i], event_ids[i], keys[i],
                                            "values"[i], encodings[i], headers[i], outcome, sqlstate, message);
                    dead_keys := dead_keys || keys[i];
                END IF;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.inbox_apply IS
    'Applies a batch of one topic partition in the caller''s transaction. Raises HF020 when the caller no longer owns the partition or the batch does not start at the stored offset, and any transient error, to be retried. Else one row per message: APPLIED, DUPLICATE (seen before), DEAD (the handler failed), EARLY (it raised HF027: what the message is about is not there yet, retry_early() calls it again) or PARKED (behind one of these of its key). encodings: utf8 (or null) or base64 for bytes that are not text. Deferred constraints are checked after each message.';

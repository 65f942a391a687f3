-- Part 66: notification.  A message that goes to an HTTP endpoint is delivered between two transactions:
-- notify_admit() says whether it is to be sent, notify_record() remembers what the endpoint answered.  The
-- rules about offsets, event ids, dead letters and the order of a key are those of part 60.

CREATE FUNCTION holdfast.notify_event_id(topic text, "partition" int, kafka_offset bigint, value text, headers jsonb)
RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN coalesce(short_key(nullif(headers->>'id', '')), short_key(json_event_id(value)),
                    format('%s/%s/%s', topic, "partition", kafka_offset));
COMMENT ON FUNCTION holdfast.notify_event_id IS
    'The event id of a message, as inbox_apply() takes it: header id, else eventId of the value, else where it is in Kafka.';

CREATE FUNCTION holdfast.notify_admit(
    consumer text, handler text, topic text, "partition" int, owner_epoch bigint, first_offset bigint,
    kafka_offset bigint, key text, value text, encoding text, headers jsonb, OUT event_id text, OUT outcome text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    notify_admit.event_id := notify_event_id(topic, "partition", kafka_offset, value, headers);
    IF EXISTS (SELECT FROM inbox_offset i
               WHERE i.consumer = notify_admit.consumer AND i.topic = notify_admit.topic
                 AND i."partition" = notify_admit."partition" AND i.owner_epoch = notify_admit.owner_epoch
                 AND i.next_offset = notify_admit.first_offset)
       AND NOT EXISTS (SELECT FROM inbox_seen s
                       WHERE s.consumer = notify_admit.consumer AND s.event_id = notify_admit.event_id) THEN
        -- The share lock keeps the block until the message is parked behind it.
        PERFORM FROM inbox_block b
        WHERE b.consumer = notify_admit.consumer AND b.topic = notify_admit.topic
          AND b.key = short_key(notify_admit.key) FOR SHARE;
        IF NOT FOUND THEN
            outcome := 'NEW';
            RETURN;
        END IF;
    END IF;
    outcome := (inbox_admit(consumer, handler, topic, "partition", owner_epoch, first_offset, kafka_offset + 1,
                            ARRAY[kafka_offset], ARRAY[notify_admit.event_id], ARRAY[key], ARRAY[value],
                            ARRAY[encoding], ARRAY[headers]))[1];
    IF outcome = 'NEW' THEN
        RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
            MESSAGE = format('event %s was forgotten while it was looked up', notify_admit.event_id);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.notify_admit IS
    'Before a message is sent to an endpoint. NEW: send it, with event_id, and call notify_record(). DUPLICATE (seen before) or PARKED (behind a dead letter of its key): that is recorded, and the offset has moved. Raises HF020 like inbox_apply().';

CREATE FUNCTION holdfast.notify_record(
    consumer text, handler text, topic text, "partition" int, owner_epoch bigint, first_offset bigint,
    kafka_offset bigint, key text, value text, encoding text, headers jsonb, error_sqlstate text, message text)
RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    event_id text := notify_event_id(topic, "partition", kafka_offset, value, headers);
    outcome text;
BEGIN
    outcome := (inbox_admit(consumer, handler, topic, "partition", owner_epoch, first_offset, kafka_offset + 1,
                            ARRAY[kafka_offset], ARRAY[event_id], ARRAY[key], ARRAY[value], ARRAY[encoding],
                            ARRAY[headers]))[1];
    IF outcome <> 'NEW' THEN
        RETURN outcome;
    END IF;
    IF error_sqlstate IS NULL THEN
        RETURN 'APPLIED';
    END IF;
    PERFORM inbox_refuse(consumer, handler, topic, "partition", kafka_offset, event_id, key, value, encoding,
                         headers, 'DEAD', error_sqlstate, message);
    RETURN 'DEAD';
END
$$;
COMMENT ON FUNCTION holdfast.notify_record IS
    'After an endpoint has answered: moves the offset, and remembers the event as APPLIED, or with error_sqlstate as DEAD. DUPLICATE or PARKED when another delivery came between. Raises HF020 like inbox_apply().';

CREATE FUNCTION holdfast.notify_take(
    consumer text, topic text, lease interval, OUT id bigint, OUT attempt int, OUT "partition" int,
    OUT kafka_offset bigint, OUT event_id text, OUT key text, OUT value text, OUT encoding text, OUT event_type text,
    OUT traceparent text)
RETURNS SETOF record
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    UPDATE dead_letter_entry d
    SET attempts = d.attempts + 1, due_at = clock_timestamp() + notify_take.lease
    FROM (SELECT q.id FROM dead_letter_entry q
          WHERE q.consumer = notify_take.consumer AND q.topic = notify_take.topic AND q.status = 'QUEUED'
            AND q.due_at <= clock_timestamp()
          ORDER BY q.due_at, q.id LIMIT 1 FOR UPDATE SKIP LOCKED) due
    WHERE d.id = due.id
    RETURNING d.id, d.attempts, d."partition", d.kafka_offset, d.event_id, d.key, d.value, d.encoding,
              CASE WHEN jsonb_typeof(d.headers) = 'object' THEN d.headers->>'eventType' END,
              CASE WHEN jsonb_typeof(d.headers) = 'object' THEN d.headers->>'traceparent' END;
END;
COMMENT ON FUNCTION holdfast.notify_take IS
    'The next QUEUED dead letter to deliver, if one is due. Nobody else gets it before the lease ends; notify_settle(id, attempt, ...) says what became of it.';

CREATE FUNCTION holdfast.notify_settle(
    id bigint, attempt int, status text, retry_in interval, error_sqlstate text, message text)
RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    entry dead_letter_entry;
    next dead_letter_entry;
BEGIN
    IF notify_settle.status IS NULL OR notify_settle.status NOT IN ('REDRIVEN', 'DEAD', 'QUEUED') THEN
        RAISE EXCEPTION USING ERRCODE = 'HF021',
            MESSAGE = format('a delivery ends as REDRIVEN, DEAD or QUEUED, not as %s', coalesce(notify_settle.status, 'NULL'));
    END IF;
    SELECT * INTO entry FROM dead_letter_entry d WHERE d.id = notify_settle.id;
    -- The block first, as in dead_letter_lock().
    PERFORM FROM inbox_block b
    WHERE b.consumer = entry.consumer AND b.topic = entry.topic AND b.key = short_key(entry.key) FOR UPDATE;
    SELECT * INTO entry FROM dead_letter_entry d WHERE d.id = notify_settle.id FOR UPDATE;
    -- Discarded in the meantime, or taken by another relay after the lease: what that one says counts.
    IF entry.status IS DISTINCT FROM 'QUEUED' OR entry.attempts <> notify_settle.attempt THEN
        RETURN entry.status;
    END IF;
    IF notify_settle.status = 'QUEUED' THEN
        UPDATE dead_letter_entry d
        SET due_at = clock_timestamp() + coalesce(retry_in, interval '0'),
            message = coalesce(notify_settle.message, d.message)
        WHERE d.id = entry.id;
        RETURN 'QUEUED';
    END IF;
    PERFORM dead_letter_settle(entry.id, notify_settle.status, NULL, error_sqlstate, notify_settle.message);
    IF notify_settle.status = 'REDRIVEN' AND entry.key IS NOT NULL THEN
        next := dead_letter_next(entry.consumer, entry.topic, entry.key);
        IF is_endpoint(next.handler) THEN
            PERFORM dead_letter_settle(next.id, 'QUEUED', NULL, NULL, NULL);
        ELSIF next.id IS NOT NULL THEN
            -- Parked for a procedure, by a binding of another kind: not to be called with the owner's rights.
            PERFORM dead_letter_settle(next.id, 'DEAD', NULL, 'HF021', 'it was parked behind a message for an endpoint: redrive it');
        END IF;
    END IF;
    RETURN notify_settle.status;
END
$$;
COMMENT ON FUNCTION holdfast.notify_settle IS
    'What became of a delivery that notify_take() gave out. REDRIVEN: the next message that is parked for the key is queued, or the key is free. DEAD: refused again. QUEUED: to be tried again after retry_in. Returns the status of the entry.';

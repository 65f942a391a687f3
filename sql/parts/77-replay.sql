-- Part 77: replay.  The outbox keeps what was published; replay() publishes it again.

CREATE FUNCTION holdfast.replay(
    topic text DEFAULT NULL, key text DEFAULT NULL, first_id uuid DEFAULT NULL, last_id uuid DEFAULT NULL,
    since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    as_new boolean DEFAULT false, "limit" int DEFAULT 1000)
RETURNS TABLE (event_id uuid, published_as uuid, aggregatetype text, aggregateid text, type text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    event outbox;
    marked jsonb;
    replayed bigint := 0;
BEGIN
    IF num_nonnulls(topic, key, first_id, last_id, since, until) = 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005',
            MESSAGE = 'replay needs to be told which events',
            HINT = 'Give at least one of topic, key, first_id, last_id, since and until.';
    END IF;
    IF as_new IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'as_new must not be null';
    END IF;
    IF "limit" IS NULL OR "limit" <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF009', MESSAGE = 'limit must be positive';
    END IF;

    -- An event id is a time.  What is not given is not limited; the rest is as far as ids reach.
    FOR event IN
        SELECT o.* FROM outbox o
        WHERE (replay.topic IS NULL OR o.aggregatetype = replay.topic)
          AND (replay.key IS NULL OR o.aggregateid = replay.key)
          AND o.id >= greatest(first_id, uuid_v7_floor(greatest(since, 'epoch')))
          AND (last_id IS NULL OR o.id <= last_id)
          AND o.id < uuid_v7_floor(greatest(least(until, '9999-12-31 UTC'), 'epoch'))
          -- What was replayed as new is published again through its original.
          AND NOT (as_new AND o.headers->>'originalId' IS NOT NULL)
        ORDER BY o.id
        LIMIT "limit"::bigint + 1
    LOOP
        replayed := replayed + 1;
        IF replayed > "limit" THEN
            RAISE EXCEPTION USING ERRCODE = 'HF009',
                MESSAGE = format('more than %s events are to be replayed', "limit"),
                HINT = 'Nothing was. Ask for fewer events, or raise limit.';
        END IF;
        marked := coalesce(event.headers::jsonb, '{}') || '{"replay": "true"}';

        IF as_new THEN
            published_as := uuid_v7();
            INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
            VALUES (published_as, event.aggregatetype, event.aggregateid, event.type,
                    regexp_replace(event.payload::text, '^(\s*\{\s*"eventId"\s*:\s*")' || event.id || '"',
                                   '\1' || published_as || '"')::json,
                    (marked || jsonb_build_object('originalId', event.id))::json);
        ELSE
            -- The table has the event already, and no place for its id twice: as a message it takes the
            -- same way, and every byte of it is what it was.
            published_as := event.id;
            PERFORM pg_logical_emit_message(true, 'outbox', json_build_object(
                'id', event.id, 'aggregatetype', event.aggregatetype, 'aggregateid', event.aggregateid,
                'type', event.type, 'payload', event.payload, 'headers', marked,
                'created_at', event.created_at)::text);
        END IF;
        event_id := event.id;
        aggregatetype := event.aggregatetype;
        aggregateid := event.aggregateid;
        type := event.type;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.replay IS
    'Publishes events of the outbox again, with this transaction, in their order: those of a topic or key, from first_id to last_id, since and before until, as far as given (at least one). Id, key and payload are what they were, so that who has seen an event skips it; the header replay is "true". as_new: under new ids (headers and eventId; the old one is the header originalId), so that everybody applies them again. More than limit: an error, and nothing is replayed.';

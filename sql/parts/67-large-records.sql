-- Part 67: records that their topic does not take because of their size.  The relay keeps them here, whole,
-- before it goes on: behind a claim check, which it sends in their place, or as dead letters.

CREATE TABLE holdfast.large_record (
    id           uuid PRIMARY KEY,
    topic        text NOT NULL,
    key          text,
    value        text,
    encoding     text NOT NULL CHECK (encoding IN ('utf8', 'base64')),
    headers      jsonb NOT NULL,
    event_id     text,
    sha256       text NOT NULL,
    size_bytes   bigint NOT NULL,
    stored_lsn   pg_lsn NOT NULL,
    stored_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX large_record_stored_at ON holdfast.large_record (stored_at);
COMMENT ON TABLE holdfast.large_record IS
    'what claim checks point to; kept for holdfast.outbox_retention from the last time it was sent, and until Kafka has the claim check';
COMMENT ON COLUMN holdfast.large_record.id IS 'the first half of sha256, so that a record that is sent again is kept once';
COMMENT ON COLUMN holdfast.large_record.value IS 'as the record would have been; base64 when it is not valid text (see encoding)';
COMMENT ON COLUMN holdfast.large_record.sha256 IS 'over topic, key and value, each but the last with a NUL behind it';
COMMENT ON COLUMN holdfast.large_record.size_bytes IS 'what the record would have taken in its topic';
COMMENT ON COLUMN holdfast.large_record.stored_lsn IS 'behind the transaction that the record comes from: confirmed, Kafka has the claim check';

CREATE FUNCTION holdfast.keep_large_record(
    topic text, key text, value text, encoding text, headers jsonb, event_id text, size_bytes bigint,
    OUT id uuid, OUT sha256 text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    sha256 := encode(sha256(convert_to(topic, 'UTF8') || '\x00'::bytea
                            || convert_to(coalesce(key, ''), 'UTF8') || '\x00'::bytea
                            || CASE encoding WHEN 'base64' THEN decode(coalesce(value, ''), 'base64')
                                             ELSE convert_to(coalesce(value, ''), 'UTF8') END), 'hex');
    id := left(sha256, 32)::uuid;
    INSERT INTO large_record AS r (id, topic, key, value, encoding, headers, event_id, sha256, size_bytes, stored_lsn)
    VALUES (id, topic, key, value, encoding, coalesce(headers, '{}'), event_id, sha256, size_bytes, pg_current_wal_insert_lsn())
    ON CONFLICT ON CONSTRAINT large_record_pkey DO UPDATE
        SET headers = excluded.headers, stored_lsn = excluded.stored_lsn, stored_at = now();
END
$$;
COMMENT ON FUNCTION holdfast.keep_large_record IS
    'internal to the relay (policy claim-check): keeps a record; the claim check that is sent in its place names the id.';

CREATE FUNCTION holdfast.fetch_event(
    INOUT id uuid, OUT topic text, OUT key text, OUT payload text, OUT encoding text, OUT headers jsonb, OUT sha256 text)
RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT r.id, r.topic, r.key, r.value, r.encoding, r.headers, r.sha256
    FROM holdfast.large_record r WHERE r.id = fetch_event.id;
END;
COMMENT ON FUNCTION holdfast.fetch_event(uuid) IS
    'The record that a claim check (header holdfast.claim-check) points to; payload is base64 where encoding says so. No row: it is past its retention.';

CREATE FUNCTION holdfast.refuse_large_record(
    topic text, key text, value text, encoding text, headers jsonb, event_id text, message text)
RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    entry dead_letter_entry;
    known text := coalesce(nullif(refuse_large_record.event_id, ''),
                           encode(sha256(convert_to(coalesce(refuse_large_record.value, ''), 'UTF8')), 'hex'));
BEGIN
    -- Sent again after a crash, it is the same dead letter.
    SELECT * INTO entry FROM dead_letter_entry d
    WHERE d.consumer = 'capture' AND d.topic = refuse_large_record.topic AND d.status = 'DEAD' AND d.event_id = known
      AND left(d.key, 200) IS NOT DISTINCT FROM left(refuse_large_record.key, 200);
    IF FOUND THEN
        RETURN entry.id;
    END IF;
    INSERT INTO dead_letter_entry (consumer, handler, topic, "partition", kafka_offset, event_id, key, value,
                                   encoding, headers, status, sqlstate, message, attempts)
    VALUES ('capture', 'KAFKA', refuse_large_record.topic, -1, -1, known, refuse_large_record.key,
            refuse_large_record.value, refuse_large_record.encoding, refuse_large_record.headers, 'DEAD', '54000',
            refuse_large_record.message, 1)
    RETURNING * INTO entry;
    PERFORM publish_dead_letter(entry);
    RETURN entry.id;
END
$$;
COMMENT ON FUNCTION holdfast.refuse_large_record IS
    'internal to the relay (policy dead-letter): keeps a record as a dead letter and publishes that to <topic>-dlq, without its value.';

CREATE FUNCTION holdfast.forget_large_records() RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM large_record r
    WHERE r.stored_at < now() - current_setting('holdfast.outbox_retention')::interval AND r.stored_lsn <= confirmed_lsn();
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION holdfast.forget_large_records() IS 'internal to maintain: removes what claim checks pointed to for long enough.';

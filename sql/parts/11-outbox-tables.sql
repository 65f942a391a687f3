-- Part 11: the outbox.  The columns are those of Debezium's outbox event router.  Append-only; ids are
-- UUIDv7, so a range of ids is a range of time, and old events leave by dropping a partition.
-- payload is json, not jsonb: the bytes that were written are the bytes that Kafka gets.

CREATE TABLE holdfast.outbox (
    id             uuid NOT NULL PRIMARY KEY,
    aggregatetype  text NOT NULL,
    aggregateid    text NOT NULL,
    type           text NOT NULL,
    payload        json NOT NULL,
    headers        json,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (id);
CREATE INDEX outbox_aggregateid ON holdfast.outbox (aggregateid);
COMMENT ON TABLE holdfast.outbox IS 'events to publish, written in the transaction that they tell about';
COMMENT ON COLUMN holdfast.outbox.id IS 'UUIDv7; the record header "id" and the payload''s eventId';
COMMENT ON COLUMN holdfast.outbox.aggregatetype IS 'topic';
COMMENT ON COLUMN holdfast.outbox.aggregateid IS 'record key: order id for saga topics, product id for stock topics';
COMMENT ON COLUMN holdfast.outbox.type IS 'event type; the record header "eventType"';
COMMENT ON COLUMN holdfast.outbox.headers IS 'object; each member becomes a record header';

CREATE TABLE holdfast.outbox_position (
    event_id      uuid NOT NULL PRIMARY KEY,
    topic         text NOT NULL,
    "partition"   int NOT NULL,
    kafka_offset  bigint NOT NULL,
    delivered_at  timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (event_id);
COMMENT ON TABLE holdfast.outbox_position IS
    'where an event is in Kafka; best effort, filled only when the relay is told to (capture.record_offsets)';

-- The default partitions take what no other partition does: everything before the first maintain(),
-- and everything after maintain() has not run for long.  Vacuum has nothing to find in them.
CREATE TABLE holdfast.outbox_default PARTITION OF holdfast.outbox DEFAULT
    WITH (autovacuum_vacuum_insert_threshold = -1);
CREATE TABLE holdfast.outbox_position_default PARTITION OF holdfast.outbox_position DEFAULT
    WITH (autovacuum_vacuum_insert_threshold = -1);

CREATE TABLE holdfast.relay_state (
    slot           name PRIMARY KEY,
    relay_version  text,
    host           text,
    pid            int,
    received_lsn   pg_lsn,
    confirmed_lsn  pg_lsn,
    system_identifier text,
    run_id         uuid,
    left_lsn       pg_lsn,
    started_at     timestamptz NOT NULL DEFAULT now(),
    reported_at    timestamptz NOT NULL DEFAULT now(),
    last_error     text
);
COMMENT ON TABLE holdfast.relay_state IS
    'the slots that relays have reported; an outbox partition stays until each of them has confirmed it';
COMMENT ON COLUMN holdfast.relay_state.system_identifier IS
    'of the cluster at the last report; a relay refuses to use the slot in another one';
COMMENT ON COLUMN holdfast.relay_state.run_id IS 'of the relay process that streamed from the slot last';
COMMENT ON COLUMN holdfast.relay_state.left_lsn IS
    'what that process had confirmed when it left the slot in order; NULL while it streams, and after a crash';
COMMENT ON COLUMN holdfast.relay_state.started_at IS 'first report of this relay process (host and pid)';

CREATE TABLE holdfast.closed_partition (
    name       name PRIMARY KEY,
    lsn        pg_lsn NOT NULL,
    bytes      bigint NOT NULL,
    closed_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE holdfast.closed_partition IS
    'outbox partitions past their retention: all that was written to them lies below lsn';

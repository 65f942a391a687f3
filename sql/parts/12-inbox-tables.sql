-- Part 12: what the inbox remembers.

CREATE TABLE holdfast.inbox_offset (
    consumer     text NOT NULL,
    topic        text NOT NULL,
    "partition"  int NOT NULL,
    next_offset  bigint NOT NULL CHECK (next_offset >= 0),
    owner_epoch  bigint NOT NULL,
    owner        text,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, "partition")
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE holdfast.inbox_offset IS 'the next record to apply of each topic partition; the only truth about it';
COMMENT ON COLUMN holdfast.inbox_offset.owner_epoch IS 'grows with each inbox_claim(); a consumer with an older one is fenced';

-- The week is in the key because it is the partition key.  Two transactions that apply the same event
-- at once meet in the unique index of their week; how the turn of a week is bridged: see inbox_admit().
CREATE TABLE holdfast.inbox_seen (
    consumer      text NOT NULL,
    event_id      text NOT NULL,
    week          date NOT NULL,
    topic         text NOT NULL,
    "partition"   int NOT NULL,
    kafka_offset  bigint NOT NULL,
    key           text,
    outcome       text NOT NULL CHECK (outcome IN ('APPLIED', 'PARKED', 'EARLY', 'DEAD')),
    applied_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id, week)
) PARTITION BY RANGE (week);
CREATE INDEX inbox_seen_key ON holdfast.inbox_seen (key);
CREATE TABLE holdfast.inbox_seen_default PARTITION OF holdfast.inbox_seen DEFAULT;
COMMENT ON TABLE holdfast.inbox_seen IS 'events that a consumer has dealt with; a second delivery changes nothing';
COMMENT ON COLUMN holdfast.inbox_seen.event_id IS 'as the message says; a very long one as short_key() makes it';
COMMENT ON COLUMN holdfast.inbox_seen.key IS 'of the message, as short_key() makes it';
COMMENT ON COLUMN holdfast.inbox_seen.week IS 'Monday of the week (UTC) in which it was applied';

CREATE TABLE holdfast.inbox_block (
    consumer  text NOT NULL,
    topic     text NOT NULL,
    key       text NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, key)
);
COMMENT ON TABLE holdfast.inbox_block IS
    'keys (as short_key() makes them) with a dead letter or an early message: later messages of the key are parked behind it';

CREATE SEQUENCE holdfast.dead_letter_id_seq;
CREATE TABLE holdfast.dead_letter_entry (
    id            bigint PRIMARY KEY DEFAULT nextval('holdfast.dead_letter_id_seq'),
    consumer      text NOT NULL,
    handler       text NOT NULL,
    topic         text NOT NULL,
    "partition"   int NOT NULL,
    kafka_offset  bigint NOT NULL,
    event_id      text NOT NULL,
    key           text,
    value         text,
    encoding      text NOT NULL CHECK (encoding IN ('utf8', 'base64')),
    headers       jsonb,
    sqlstate      text,
    message       text,
    attempts      int NOT NULL DEFAULT 0,
    status        text NOT NULL CHECK (status IN ('DEAD', 'EARLY', 'PARKED', 'QUEUED', 'REDRIVEN', 'DISCARDED')),
    due_at        timestamptz,
    note          text,
    recorded_by   name NOT NULL DEFAULT session_user,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    resolved_by   name,
    resolved_at   timestamptz
);
ALTER SEQUENCE holdfast.dead_letter_id_seq OWNED BY holdfast.dead_letter_entry.id;
-- A key may be longer than an index takes.
CREATE INDEX dead_letter_open ON holdfast.dead_letter_entry (consumer, topic, left(key, 200), id)
    WHERE status IN ('DEAD', 'EARLY', 'PARKED', 'QUEUED');
CREATE INDEX dead_letter_queued ON holdfast.dead_letter_entry (consumer, topic, due_at) WHERE status = 'QUEUED';
CREATE INDEX dead_letter_early ON holdfast.dead_letter_entry (due_at) WHERE status = 'EARLY';
CREATE INDEX dead_letter_key ON holdfast.dead_letter_entry (left(key, 200));
COMMENT ON TABLE holdfast.dead_letter_entry IS
    'messages that could not be applied (DEAD) or not yet (EARLY), later ones of their key (PARKED), and those that the relay is to deliver again (QUEUED)';
COMMENT ON COLUMN holdfast.dead_letter_entry.handler IS 'what it is for: a function or procedure, POST and the origin of an HTTP endpoint, or KAFKA: it was too large for its topic';
COMMENT ON COLUMN holdfast.dead_letter_entry.kafka_offset IS 'of the message, as its partition; both -1 for what never came to Kafka';
COMMENT ON COLUMN holdfast.dead_letter_entry.due_at IS 'of a QUEUED entry: when a relay may take it; of an EARLY one: when it is tried again';
COMMENT ON COLUMN holdfast.dead_letter_entry.value IS 'the message as it came; base64 when it is not valid text (see encoding)';
COMMENT ON COLUMN holdfast.dead_letter_entry.attempts IS 'how often the handler or endpoint was called for it';

-- Part 15: sagas.  An order of the saga reserve_first is its own saga: what there is to know is in its
-- rows, and nothing is written for it twice.  An order of another saga has an instance here, and one row
-- for each step that it takes, forward and back.  The views saga and saga_step (part 76) show both.

CREATE TABLE holdfast.saga_definition (
    saga           text NOT NULL,
    version        int NOT NULL CHECK (version > 0),
    step_no        int NOT NULL CHECK (step_no > 0),
    step           text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('reserve', 'payment', 'event')),
    command        text,
    completes_on   text,
    fails_on       text,
    compensation   text,
    timeout        interval CHECK (timeout > interval '0'),
    on_timeout     text NOT NULL DEFAULT 'compensate' CHECK (on_timeout IN ('retry', 'compensate', 'alert')),
    max_attempts   int NOT NULL DEFAULT 1 CHECK (max_attempts > 0),
    pivot          boolean NOT NULL DEFAULT false,
    built_in       boolean NOT NULL DEFAULT false,
    registered_by  name NOT NULL DEFAULT session_user,
    registered_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (saga, version, step_no),
    UNIQUE (saga, version, step)
);
COMMENT ON TABLE holdfast.saga_definition IS
    'the steps of each version of each saga, in order; written by register_saga(), never changed: an order keeps the version that it began with';
COMMENT ON COLUMN holdfast.saga_definition.kind IS
    'reserve: takes the stock; payment: done when the order is paid in full; event: waits for an event from elsewhere';
COMMENT ON COLUMN holdfast.saga_definition.command IS 'topic to which the step''s command is published when the step begins and at each retry';
COMMENT ON COLUMN holdfast.saga_definition.completes_on IS 'eventType that completes the step';
COMMENT ON COLUMN holdfast.saga_definition.fails_on IS 'eventType that fails it, and with it the order';
COMMENT ON COLUMN holdfast.saga_definition.compensation IS
    'function or procedure (order_id bigint, context jsonb) that undoes the step; called by saga_sweep() with its caller''s rights, until it succeeds once';
COMMENT ON COLUMN holdfast.saga_definition.timeout IS 'how long the step may take; NULL: until the order''s expires_at for a payment, for ever for an event';
COMMENT ON COLUMN holdfast.saga_definition.on_timeout IS
    'retry: publish the command again, max_attempts times in all, then compensate; alert: only say so, in saga-alerts and stuck_sagas';
COMMENT ON COLUMN holdfast.saga_definition.pivot IS 'once it is done the saga goes only forward: what fails or times out later is an alert';

INSERT INTO holdfast.saga_definition (saga, version, step_no, step, kind, completes_on, fails_on, timeout, pivot, built_in)
VALUES ('reserve_first', 1, 1, 'reserve', 'reserve', NULL, NULL, NULL, false, true),
       ('reserve_first', 1, 2, 'payment', 'payment', NULL, NULL, NULL, true, true),
       ('pay_first', 1, 1, 'payment', 'payment', NULL, NULL, NULL, false, true),
       ('pay_first', 1, 2, 'reserve', 'reserve', NULL, NULL, NULL, true, true),
       ('reserve_remote', 1, 1, 'reserve', 'event', 'InventoryReserved', NULL, interval '1 minute', false, true),
       ('reserve_remote', 1, 2, 'payment', 'payment', NULL, NULL, NULL, true, true);

-- Written only under the lock of the order.
CREATE TABLE holdfast.saga_instance (
    order_id    bigint NOT NULL PRIMARY KEY,
    saga        text NOT NULL,
    version     int NOT NULL,
    state       text NOT NULL
                CHECK (state IN ('RUNNING', 'COMPLETED', 'COMPENSATING', 'COMPENSATION_FAILED', 'COMPENSATED')),
    step_no     int NOT NULL,
    step        text,
    deadline    timestamptz,
    attempts    int NOT NULL DEFAULT 0,
    last_event  text,
    last_error  text,
    ending      jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (order_id);
CREATE INDEX saga_instance_due ON holdfast.saga_instance (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX saga_instance_stuck ON holdfast.saga_instance (updated_at)
    WHERE state = 'COMPENSATION_FAILED' OR state = 'RUNNING' AND last_error IS NOT NULL;
COMMENT ON TABLE holdfast.saga_instance IS
    'RUNNING -> COMPLETED | COMPENSATING -> COMPENSATED; COMPENSATION_FAILED is a COMPENSATING one whose step back has raised, and is tried again';
COMMENT ON COLUMN holdfast.saga_instance.step IS 'the step that it is at, forward or back; NULL: none is left';
COMMENT ON COLUMN holdfast.saga_instance.deadline IS 'when saga_sweep() looks at it next; NULL: it waits for an event, or for a person';
COMMENT ON COLUMN holdfast.saga_instance.attempts IS 'how often the step that it is at was tried';
COMMENT ON COLUMN holdfast.saga_instance.ending IS 'how the order is to end once its steps are undone: status, step, reason, message, cause, publish';

CREATE TABLE holdfast.saga_instance_step (
    order_id    bigint NOT NULL,
    seq         int NOT NULL,
    step        text NOT NULL,
    direction   text NOT NULL CHECK (direction IN ('FORWARD', 'COMPENSATE')),
    status      text NOT NULL CHECK (status IN ('PENDING', 'STARTED', 'DONE', 'FAILED', 'SKIPPED')),
    attempts    int NOT NULL DEFAULT 1,
    event_id    text,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz,
    error       text,
    PRIMARY KEY (order_id, seq)
) PARTITION BY RANGE (order_id);
COMMENT ON TABLE holdfast.saga_instance_step IS 'every step that a saga instance took, forward and back';
COMMENT ON COLUMN holdfast.saga_instance_step.status IS
    'STARTED -> DONE | FAILED | SKIPPED (by saga_resolve); of a step back PENDING -> DONE | SKIPPED, and FAILED while it is tried again';
COMMENT ON COLUMN holdfast.saga_instance_step.event_id IS 'of the event that ended it';

CREATE TABLE holdfast.saga_instance_p0 PARTITION OF holdfast.saga_instance
    FOR VALUES FROM (MINVALUE) TO (10000000) WITH (fillfactor = 80);
CREATE TABLE holdfast.saga_instance_step_p0 PARTITION OF holdfast.saga_instance_step
    FOR VALUES FROM (MINVALUE) TO (10000000) WITH (fillfactor = 80);
CREATE TABLE holdfast.saga_instance_default PARTITION OF holdfast.saga_instance DEFAULT;
CREATE TABLE holdfast.saga_instance_step_default PARTITION OF holdfast.saga_instance_step DEFAULT;

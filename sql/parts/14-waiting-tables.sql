-- Part 14: waiting rooms, and what customers have taken of products with a limit.
--
-- A room is a line of numbers.  Who joins draws the next one from the room's own sequence; how many
-- numbers the room has let in follows from the clock and from its rate.  So nothing is written when
-- somebody is let in, and those who join at once meet in no row.

CREATE SEQUENCE holdfast.waiting_room_id_seq AS int;
CREATE TABLE holdfast.waiting_room (
    room_id       int PRIMARY KEY DEFAULT nextval('holdfast.waiting_room_id_seq'),
    name          text NOT NULL UNIQUE,
    valid_for     interval NOT NULL,
    max_admitted  int,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT waiting_room_valid CHECK (name <> '' AND valid_for > interval '0' AND max_admitted > 0)
);
ALTER SEQUENCE holdfast.waiting_room_id_seq OWNED BY holdfast.waiting_room.room_id;
COMMENT ON TABLE holdfast.waiting_room IS 'rooms in which customers wait for their turn to order; written by set_waiting_room()';
COMMENT ON COLUMN holdfast.waiting_room.room_id IS 'waiting_numbers_<room_id> is the sequence that its numbers come from';
COMMENT ON COLUMN holdfast.waiting_room.valid_for IS
    'how long an admission token is valid, and how long after one''s turn it can be fetched';
COMMENT ON COLUMN holdfast.waiting_room.max_admitted IS 'most tokens that are valid and unused at once; NULL: any number';

ALTER TABLE holdfast.product ADD FOREIGN KEY (waiting_room_id) REFERENCES holdfast.waiting_room;
-- For maintain(), which runs every minute.
CREATE INDEX product_limit_window ON holdfast.product (product_id) WHERE limit_window IS NOT NULL;

CREATE TABLE holdfast.waiting_rate (
    room_id     int NOT NULL,
    since       timestamptz NOT NULL,
    per_second  numeric NOT NULL,
    let_in      numeric NOT NULL,
    PRIMARY KEY (room_id, since)
);
COMMENT ON TABLE holdfast.waiting_rate IS 'the rates of a room; the latest one counts';
COMMENT ON COLUMN holdfast.waiting_rate.let_in IS 'how many the rates before have let in until then, fractions included';

-- Written by those who join a room that has been idle, side by side: each is right for its time, and
-- the greatest counts.
CREATE TABLE holdfast.waiting_drop (
    room_id  int NOT NULL,
    dropped  numeric NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (room_id, dropped)
);
COMMENT ON TABLE holdfast.waiting_drop IS
    'how much of what the rates let in met nobody and is not saved up: else a rush that follows a quiet hour would be let in at once';

-- One row per customer and room, whichever ticket of his is the last one.
CREATE TABLE holdfast.waiting_ticket (
    room_id     int NOT NULL,
    user_id     bigint NOT NULL,
    ticket      uuid NOT NULL UNIQUE,
    number      bigint NOT NULL,
    joined_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    token       uuid,
    expires_at  timestamptz,
    used_at     timestamptz,
    order_id    bigint,
    PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 80);
CREATE INDEX waiting_ticket_admitted ON holdfast.waiting_ticket (room_id, expires_at)
    WHERE expires_at IS NOT NULL AND used_at IS NULL;
COMMENT ON TABLE holdfast.waiting_ticket IS 'waiting (no token) -> admitted (token) -> used, or past its time';
COMMENT ON COLUMN holdfast.waiting_ticket.number IS 'place in the line of the room; admitted from when the room has let in so many';
COMMENT ON COLUMN holdfast.waiting_ticket.token IS 'options.admissionToken of the one order that it is good for';
COMMENT ON COLUMN holdfast.waiting_ticket.order_id IS 'the order that used it; NULL: submit_order() did';

-- The lock of a customer's count.  It is updated and not only locked, so that a transaction with an
-- older snapshot fails instead of counting without what it does not see.  A day, and no time: the update
-- seldom changes what is indexed.
CREATE TABLE holdfast.customer_limit (
    product_id  bigint NOT NULL,
    user_id     bigint NOT NULL,
    locked_on   date NOT NULL DEFAULT current_date,
    PRIMARY KEY (product_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX customer_limit_locked ON holdfast.customer_limit (locked_on);
COMMENT ON TABLE holdfast.customer_limit IS 'locked by orders of a product with max_per_user, so that those of one customer count one after the other';

CREATE TABLE holdfast.customer_take (
    order_id    bigint NOT NULL,
    product_id  bigint NOT NULL,
    user_id     bigint NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    taken_at    timestamptz NOT NULL,
    PRIMARY KEY (order_id, product_id)
);
CREATE INDEX customer_take_user ON holdfast.customer_take (product_id, user_id, taken_at);
CREATE INDEX customer_take_time ON holdfast.customer_take (product_id, taken_at);
COMMENT ON TABLE holdfast.customer_take IS
    'what counts towards max_per_user: orders of such products, except those that failed, were cancelled or have expired';

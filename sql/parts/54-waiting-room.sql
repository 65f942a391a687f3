-- Part 54: waiting rooms.  Customers join, ask for their position, and get a token that one order is good
-- for; the room lets in so many a second, and nobody has to wait for somebody who has gone away.

-- ---- Rooms ------------------------------------------------------------------------------------

-- In PL/pgSQL, like the rest of what a customer calls: a function in SQL is planned anew in each
-- transaction.
CREATE FUNCTION holdfast.waiting_rates_let_in(room_id int, at timestamptz) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT r.let_in + r.per_second * extract(epoch FROM waiting_rates_let_in.at - r.since)
            FROM waiting_rate r
            WHERE r.room_id = waiting_rates_let_in.room_id AND r.since <= waiting_rates_let_in.at
            ORDER BY r.since DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION holdfast.waiting_rates_let_in(int, timestamptz) IS
    'How many the rates of a room would have let in until a time, had there always been somebody; null before the first.';

CREATE FUNCTION holdfast.waiting_let_in(room_id int, at timestamptz) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    dropped numeric;
BEGIN
    SELECT d.dropped INTO dropped
    FROM waiting_drop d
    WHERE d.room_id = waiting_let_in.room_id AND d.at <= waiting_let_in.at
    ORDER BY d.dropped DESC LIMIT 1;
    RETURN coalesce(waiting_rates_let_in(waiting_let_in.room_id, waiting_let_in.at) - coalesce(dropped, 0), 0);
END
$$;
COMMENT ON FUNCTION holdfast.waiting_let_in(int, timestamptz) IS
    'Up to which number a room has let customers in at a time, with the fraction of the next.';

CREATE FUNCTION holdfast.waiting_last_number(room_id int) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    RETURN coalesce(pg_sequence_last_value(format('holdfast.waiting_numbers_%s', room_id)::regclass), 0);
END
$$;
COMMENT ON FUNCTION holdfast.waiting_last_number(int) IS 'The last number that a room has given out.';

CREATE FUNCTION holdfast.waiting_room_named(room text) RETURNS holdfast.waiting_room
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    r waiting_room;
BEGIN
    IF room IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'room must not be null';
    END IF;
    SELECT * INTO r FROM waiting_room w WHERE w.name = room;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF031', MESSAGE = format('waiting room "%s" does not exist', room);
    END IF;
    RETURN r;
END
$$;
COMMENT ON FUNCTION holdfast.waiting_room_named(text) IS 'The room of that name; HF031 when there is none.';

CREATE PROCEDURE holdfast.set_waiting_room(
    room text, per_second numeric DEFAULT NULL, valid_for interval DEFAULT NULL, max_admitted int DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    id int;
    changed_at timestamptz;
    rate waiting_rate;
    last_number bigint;
BEGIN
    IF room IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'room must not be null';
    END IF;
    IF room = '' OR length(room) > 255 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF032', MESSAGE = 'a waiting room must have a name of 1 to 255 characters';
    END IF;
    IF set_waiting_room.per_second NOT BETWEEN 0 AND 1000000 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF032',
            MESSAGE = format('per_second of waiting room "%s" must be from 0 (paused) to 1000000, not %s',
                             room, set_waiting_room.per_second);
    END IF;
    IF set_waiting_room.valid_for NOT BETWEEN interval '1 second' AND interval '30 days' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF032',
            MESSAGE = format('valid_for of waiting room "%s" must be from 1 second to 30 days, not %s',
                             room, set_waiting_room.valid_for);
    END IF;
    IF set_waiting_room.max_admitted < 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF032',
            MESSAGE = format('max_admitted of waiting room "%s" must not be negative (0: any number)', room);
    END IF;

    -- Locks the row, so that changes of the rate follow one another.
    INSERT INTO waiting_room AS w (name, valid_for, max_admitted)
    VALUES (room, coalesce(set_waiting_room.valid_for, interval '10 minutes'), nullif(set_waiting_room.max_admitted, 0))
    ON CONFLICT (name) DO UPDATE
        SET valid_for = coalesce(set_waiting_room.valid_for, w.valid_for),
            max_admitted = CASE WHEN set_waiting_room.max_admitted IS NULL THEN w.max_admitted
                                ELSE nullif(set_waiting_room.max_admitted, 0) END,
            updated_at = now()
    RETURNING w.room_id INTO id;

    SELECT * INTO rate FROM waiting_rate r WHERE r.room_id = id ORDER BY r.since DESC LIMIT 1;
    IF NOT FOUND THEN
        IF set_waiting_room.per_second IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'HF005',
                MESSAGE = format('per_second of the new waiting room "%s" must not be null', room);
        END IF;
        EXECUTE format('CREATE SEQUENCE holdfast.%I OWNED BY holdfast.waiting_room.room_id',
                       format('waiting_numbers_%s', id));
    ELSIF set_waiting_room.per_second IS NULL OR set_waiting_room.per_second = rate.per_second THEN
        RETURN;
    END IF;
    -- What the old rate has let in until now stays let in, to the fraction; the new one goes on from there.
    changed_at := greatest(clock_timestamp(), rate.since + interval '1 microsecond');
    INSERT INTO waiting_rate (room_id, since, per_second, let_in)
    VALUES (id, changed_at, set_waiting_room.per_second,
            coalesce(rate.let_in + rate.per_second * extract(epoch FROM changed_at - rate.since), 0));
    -- A pause lets in nobody who comes later.
    IF set_waiting_room.per_second = 0 THEN
        last_number := waiting_last_number(id);
        IF waiting_let_in(id, changed_at) > last_number THEN
            INSERT INTO waiting_drop (room_id, dropped, at)
            VALUES (id, waiting_rates_let_in(id, changed_at) - last_number, changed_at)
            ON CONFLICT DO NOTHING;
        END IF;
    END IF;
END
$$;
COMMENT ON PROCEDURE holdfast.set_waiting_room IS
    'Makes or changes a waiting room: how many it lets in per second (fractions are fine, 0 pauses it), how long an admission token is valid (at first 10 minutes), and how many tokens may be valid and unused at once (0, and at first: any number). What is null stays as it is, and those who wait keep their place.';

CREATE PROCEDURE holdfast.remove_waiting_room(room text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    id int := (waiting_room_named(room)).room_id;
BEGIN
    UPDATE product p SET waiting_room_id = NULL, updated_at = now() WHERE p.waiting_room_id = id;
    -- First: it waits for those who are just drawing a number, and for their tickets.
    EXECUTE format('DROP SEQUENCE holdfast.%I', format('waiting_numbers_%s', id));
    DELETE FROM waiting_ticket t WHERE t.room_id = id;
    DELETE FROM waiting_drop d WHERE d.room_id = id;
    DELETE FROM waiting_rate r WHERE r.room_id = id;
    DELETE FROM waiting_room w WHERE w.room_id = id;
END
$$;
COMMENT ON PROCEDURE holdfast.remove_waiting_room IS
    'Removes a room with its tickets; its products are sold without a token from then on.';

CREATE PROCEDURE holdfast.set_product_room(product_id bigint, room text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    id int := CASE WHEN room IS NOT NULL THEN (waiting_room_named(room)).room_id END;
BEGIN
    IF set_product_room.product_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'product_id must not be null';
    END IF;
    UPDATE product p SET waiting_room_id = id, updated_at = now() WHERE p.product_id = set_product_room.product_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF002',
            MESSAGE = format('product %s does not exist', set_product_room.product_id);
    END IF;
END
$$;
COMMENT ON PROCEDURE holdfast.set_product_room IS
    'Orders of the product need an admission token of the room from now on; with null they need none.';

CREATE FUNCTION holdfast.waiting_rooms()
RETURNS TABLE (room text, per_second numeric, valid_for interval, max_admitted int, joined bigint, waiting bigint,
               admitted bigint, product_ids bigint[])
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT w.name, rate.per_second, w.valid_for, w.max_admitted, line.last_number,
           greatest(line.last_number - floor(line.let_in), 0)::bigint,
           (SELECT count(*) FROM holdfast.waiting_ticket t
            WHERE t.room_id = w.room_id AND t.used_at IS NULL AND t.expires_at > clock_timestamp()),
           ARRAY(SELECT p.product_id FROM holdfast.product p WHERE p.waiting_room_id = w.room_id ORDER BY 1)
    FROM holdfast.waiting_room w
         CROSS JOIN LATERAL (SELECT holdfast.waiting_let_in(w.room_id, clock_timestamp()) AS let_in,
                                    holdfast.waiting_last_number(w.room_id) AS last_number) line
         CROSS JOIN LATERAL (SELECT r.per_second FROM holdfast.waiting_rate r
                             WHERE r.room_id = w.room_id ORDER BY r.since DESC LIMIT 1) rate
    ORDER BY w.name;
END;
COMMENT ON FUNCTION holdfast.waiting_rooms() IS
    'Each waiting room: its rate, how many places were taken, how many of them wait (those who left among them), how many tokens are valid and unused, and its products.';

-- ---- Customers --------------------------------------------------------------------------------

CREATE FUNCTION holdfast.waiting_is_live(r holdfast.waiting_room, t holdfast.waiting_ticket) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    before timestamptz := clock_timestamp() - r.valid_for;
BEGIN
    IF t.used_at IS NOT NULL THEN
        RETURN false;
    ELSIF t.token IS NOT NULL THEN
        RETURN t.expires_at > clock_timestamp();
    END IF;
    -- With max_admitted one's turn may come and the room be full, and no time runs.  What the room would
    -- have let in before one has joined is of no concern.
    RETURN r.max_admitted IS NOT NULL OR t.joined_at > before OR t.number > waiting_let_in(r.room_id, before);
END
$$;
COMMENT ON FUNCTION holdfast.waiting_is_live IS
    'Whether a ticket waits or is admitted: not used, not expired, and its turn not so long ago that it has lapsed.';

CREATE FUNCTION holdfast.waiting_admitted(room_id int, most int) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT count(*)
            FROM (SELECT FROM waiting_ticket t
                  WHERE t.room_id = waiting_admitted.room_id AND t.used_at IS NULL AND t.expires_at > clock_timestamp()
                  LIMIT most) a);
END
$$;
COMMENT ON FUNCTION holdfast.waiting_admitted(int, int) IS 'Tokens of a room that are valid and unused, counted up to most.';

CREATE FUNCTION holdfast.waiting_admit(r holdfast.waiting_room, t holdfast.waiting_ticket)
RETURNS holdfast.waiting_ticket
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    after waiting_ticket;
BEGIN
    IF t.number > waiting_let_in(r.room_id, clock_timestamp()) THEN
        RETURN t;
    END IF;
    IF r.max_admitted IS NOT NULL THEN
        -- Looked at before the lock, so that those who ask a full room do not stand in each other's way.
        IF waiting_admitted(r.room_id, r.max_admitted) >= r.max_admitted THEN
            RETURN t;
        END IF;
        PERFORM FROM waiting_room w WHERE w.room_id = r.room_id FOR NO KEY UPDATE;
    END IF;
    UPDATE waiting_ticket w SET token = gen_random_uuid(), expires_at = clock_timestamp() + r.valid_for
    WHERE w.room_id = t.room_id AND w.user_id = t.user_id AND w.ticket = t.ticket AND w.token IS NULL
      AND (r.max_admitted IS NULL OR waiting_admitted(r.room_id, r.max_admitted) < r.max_admitted)
    RETURNING * INTO after;
    IF NOT FOUND THEN  -- full, or by another session at the same time
        SELECT * INTO after FROM waiting_ticket w
        WHERE w.room_id = t.room_id AND w.user_id = t.user_id AND w.ticket = t.ticket;
    END IF;
    RETURN after;
END
$$;
COMMENT ON FUNCTION holdfast.waiting_admit IS
    'internal: the ticket, with a token when its turn has come and the room is not full; null when it is gone.';

CREATE FUNCTION holdfast.waiting_draw(room_id int) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    looked_at timestamptz := clock_timestamp();
    last_number bigint;
    burst numeric;
BEGIN
    SELECT greatest(r.per_second, 1) INTO burst
    FROM waiting_rate r WHERE r.room_id = waiting_draw.room_id ORDER BY r.since DESC LIMIT 1;
    -- Time first, number second: numbers that are given out in between make less of what is saved up.
    last_number := waiting_last_number(waiting_draw.room_id);
    IF waiting_let_in(waiting_draw.room_id, looked_at) - last_number > 2 * burst THEN
        -- Not by way of what others have dropped: they may be doing the same.
        INSERT INTO waiting_drop (room_id, dropped, at)
        VALUES (waiting_draw.room_id, waiting_rates_let_in(waiting_draw.room_id, looked_at) - last_number - burst, looked_at)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN nextval(format('holdfast.waiting_numbers_%s', waiting_draw.room_id)::regclass);
END
$$;
COMMENT ON FUNCTION holdfast.waiting_draw(int) IS
    'internal: the next number of a room. What an idle room has saved up beyond two seconds is cut down to one second, so that a rush meets the rate and not the quiet before it.';

CREATE FUNCTION holdfast.waiting_join(room text, user_id bigint) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    r waiting_room := waiting_room_named(room);
    t waiting_ticket;
BEGIN
    IF waiting_join.user_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'user_id must not be null';
    END IF;
    LOOP
        SELECT * INTO t FROM waiting_ticket w WHERE w.room_id = r.room_id AND w.user_id = waiting_join.user_id;
        IF NOT FOUND THEN
            INSERT INTO waiting_ticket AS w (room_id, user_id, ticket, number)
            VALUES (r.room_id, waiting_join.user_id, uuid_v7(), waiting_draw(r.room_id))
            ON CONFLICT (room_id, user_id) DO NOTHING
            RETURNING * INTO t;
            CONTINUE WHEN NOT FOUND;
            EXIT;
        END IF;
        IF waiting_is_live(r, t) THEN
            RETURN t.ticket;
        END IF;

        SELECT * INTO t FROM waiting_ticket w
        WHERE w.room_id = r.room_id AND w.user_id = waiting_join.user_id FOR NO KEY UPDATE;
        CONTINUE WHEN NOT FOUND;
        IF waiting_is_live(r, t) THEN  -- joined again by another session, at the same time
            RETURN t.ticket;
        END IF;
        UPDATE waiting_ticket w
        SET ticket = uuid_v7(), number = waiting_draw(r.room_id), joined_at = clock_timestamp(),
            token = NULL, expires_at = NULL, used_at = NULL, order_id = NULL
        WHERE w.room_id = r.room_id AND w.user_id = waiting_join.user_id
        RETURNING * INTO t;
        EXIT;
    END LOOP;
    -- Who need not wait has his token from now on: his turn is not one that he could keep for later.
    PERFORM waiting_admit(r, t);
    RETURN t.ticket;
END
$$;
COMMENT ON FUNCTION holdfast.waiting_join IS
    'Takes a place in a waiting room and returns the ticket to ask with; the same ticket for as long as the user waits or is admitted, a new one at the end of the line after that. HF031 unknown room.';

CREATE FUNCTION holdfast.waiting_position(ticket uuid, user_id bigint) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    r waiting_room;
    t waiting_ticket;
    ahead numeric;
    per_second numeric;
BEGIN
    IF waiting_position.ticket IS NULL OR waiting_position.user_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'ticket and user_id must not be null';
    END IF;
    SELECT * INTO t FROM waiting_ticket w WHERE w.ticket = waiting_position.ticket AND w.user_id = waiting_position.user_id;
    SELECT * INTO r FROM waiting_room w WHERE w.room_id = t.room_id;
    IF t.token IS NULL AND waiting_is_live(r, t) THEN
        t := waiting_admit(r, t);
    END IF;
    IF t.ticket IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF031', MESSAGE = format('ticket %s does not exist', waiting_position.ticket);
    END IF;

    IF t.used_at IS NOT NULL OR NOT waiting_is_live(r, t) THEN
        RETURN jsonb_build_object('room', r.name, 'admitted', false,
                                  'status', CASE WHEN t.used_at IS NULL THEN 'EXPIRED' ELSE 'USED' END);
    END IF;
    IF t.token IS NOT NULL THEN
        RETURN jsonb_build_object('room', r.name, 'admitted', true, 'status', 'ADMITTED', 'position', 0,
                                  'token', t.token, 'expiresAt', event_time(t.expires_at));
    END IF;
    ahead := t.number - waiting_let_in(r.room_id, clock_timestamp());
    SELECT w.per_second INTO per_second
    FROM waiting_rate w WHERE w.room_id = r.room_id ORDER BY w.since DESC LIMIT 1;
    -- Nobody knows when a full room will have a place, or when a pause will end.
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'room', r.name, 'admitted', false, 'status', 'WAITING', 'position', greatest(ceil(ahead), 1),
        'estimatedSeconds', CASE WHEN ahead > 0 THEN ceil(ahead / nullif(per_second, 0)) END));
END
$$;
COMMENT ON FUNCTION holdfast.waiting_position IS
    'Where a ticket is: status WAITING with position (1: next) and estimatedSeconds (not while the room is paused or full), ADMITTED with token and expiresAt, USED, or EXPIRED. Asking when the turn has come is what fetches the token. HF031 unknown ticket, or of another user.';

CREATE FUNCTION holdfast.waiting_leave(ticket uuid, user_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    IF waiting_leave.ticket IS NULL OR waiting_leave.user_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'ticket and user_id must not be null';
    END IF;
    DELETE FROM waiting_ticket w
    WHERE w.ticket = waiting_leave.ticket AND w.user_id = waiting_leave.user_id AND w.used_at IS NULL;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION holdfast.waiting_leave IS
    'Gives up a place, or a token that was not used. False when there is none.';

-- ---- Orders -----------------------------------------------------------------------------------

CREATE FUNCTION holdfast.check_admission(room_id int, user_id bigint, token text, trace_id text, lock boolean)
RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    t waiting_ticket;
    room text := (SELECT w.name FROM waiting_room w WHERE w.room_id = check_admission.room_id);
    other text;
BEGIN
    IF check_admission.token IS NULL THEN
        IF check_admission.trace_id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
           AND EXISTS (SELECT FROM order_request r
                       WHERE r.trace_id = check_admission.trace_id::uuid AND r.user_id = check_admission.user_id
                         AND r.admitted_room = check_admission.room_id
                         AND (r.status = 'PROCESSING' OR r.reason = 'DEAD_LETTER')) THEN
            RETURN NULL;
        END IF;
        RETURN format('an admission token of waiting room "%s" is missing', room);
    END IF;

    IF lock THEN
        PERFORM FROM waiting_ticket w
        WHERE w.room_id = check_admission.room_id AND w.user_id = check_admission.user_id FOR NO KEY UPDATE;
    END IF;
    SELECT * INTO t FROM waiting_ticket w
    WHERE w.room_id = check_admission.room_id AND w.user_id = check_admission.user_id;
    IF t.token IS DISTINCT FROM check_admission.token::uuid THEN
        SELECT w.name INTO other
        FROM waiting_room w JOIN waiting_ticket o ON o.room_id = w.room_id AND o.user_id = check_admission.user_id
        WHERE o.token = check_admission.token::uuid;
        IF FOUND THEN
            RETURN format('the admission token is of waiting room "%s", not of "%s"', other, room);
        END IF;
        RETURN format('the admission token is none of waiting room "%s" and user %s', room, check_admission.user_id);
    END IF;
    IF t.used_at IS NOT NULL THEN
        RETURN format('the admission token of waiting room "%s" was used', room);
    END IF;
    IF t.expires_at <= clock_timestamp() THEN
        RETURN format('the admission token of waiting room "%s" has expired', room);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION holdfast.check_admission IS
    'internal to place_order: why the token does not admit the user, or null. Without a token, a request that submit_order() has admitted is. With lock nobody else can use it until the transaction ends.';

CREATE FUNCTION holdfast.use_admission(room_id int, user_id bigint, token text, trace_id text, order_id bigint)
RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    problem text := check_admission(use_admission.room_id, use_admission.user_id, use_admission.token,
                                    use_admission.trace_id, true);
BEGIN
    IF problem IS NOT NULL THEN
        RETURN problem;
    END IF;
    IF use_admission.token IS NOT NULL THEN
        UPDATE waiting_ticket w SET used_at = clock_timestamp(), order_id = use_admission.order_id
        WHERE w.room_id = use_admission.room_id AND w.user_id = use_admission.user_id;
        RETURN NULL;
    END IF;
    UPDATE order_request r SET admitted_room = NULL
    WHERE r.trace_id = use_admission.trace_id::uuid AND r.admitted_room = use_admission.room_id;
    -- By another order that names the same request, at the same time.
    RETURN CASE WHEN NOT FOUND THEN format('the admission of request %s was used', use_admission.trace_id) END;
END
$$;
COMMENT ON FUNCTION holdfast.use_admission IS
    'internal to place_order and submit_order: check_admission(), and the admission is used up; null, or why it is not there.';

-- ---- House ------------------------------------------------------------------------------------

CREATE FUNCTION holdfast.adopt_waiting_numbers() RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET lock_timeout = '100ms'
AS $$
DECLARE
    sequence regclass;
BEGIN
    FOR sequence IN
        SELECT s.oid FROM waiting_room w JOIN pg_class s ON s.oid = to_regclass(format('holdfast.waiting_numbers_%s', w.room_id))
        WHERE NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid
                            AND d.refobjid = 'holdfast.waiting_room'::regclass)
    LOOP
        EXECUTE format('ALTER SEQUENCE %s OWNED BY holdfast.waiting_room.room_id', sequence);
    END LOOP;
EXCEPTION
    WHEN lock_not_available THEN
        NULL;  -- at the next run
END
$$;
COMMENT ON FUNCTION holdfast.adopt_waiting_numbers() IS
    'internal to maintain: a dump does not carry what the sequences of the rooms belong to, and without it they would outlive the extension.';

CREATE FUNCTION holdfast.forget_waiting("limit" int) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    keep CONSTANT interval := '1 day';
    forgotten bigint := 0;
    n bigint;
BEGIN
    WITH room AS MATERIALIZED (
        SELECT w.room_id, t.before, waiting_let_in(w.room_id, t.before) AS let_in
        FROM waiting_room w CROSS JOIN LATERAL (SELECT now() - w.valid_for AS before) t)
    DELETE FROM waiting_ticket t
    WHERE t.ticket = ANY (ARRAY(
        SELECT o.ticket FROM waiting_ticket o JOIN room r ON r.room_id = o.room_id
        WHERE o.ticket < uuid_v7_floor(now() - keep)
          AND (coalesce(o.used_at, o.expires_at) < now() - keep
               OR o.token IS NULL AND o.joined_at < r.before AND o.number <= r.let_in)
        ORDER BY o.ticket LIMIT "limit" FOR UPDATE OF o SKIP LOCKED));
    GET DIAGNOSTICS forgotten = ROW_COUNT;

    -- Of what was dropped so long ago that no lapse is told by it, the greatest is enough.
    DELETE FROM waiting_drop d
    USING (SELECT e.room_id, max(e.dropped) AS dropped
           FROM waiting_drop e JOIN waiting_room w ON w.room_id = e.room_id
           WHERE e.at < now() - w.valid_for - interval '1 hour'
           GROUP BY e.room_id) o
    WHERE d.room_id = o.room_id AND d.dropped < o.dropped;
    GET DIAGNOSTICS n = ROW_COUNT;
    forgotten := forgotten + n;

    DELETE FROM customer_take t
    WHERE t.ctid = ANY (ARRAY(
        SELECT o.ctid FROM product p JOIN customer_take o ON o.product_id = p.product_id
        WHERE p.limit_window IS NOT NULL AND o.taken_at < now() - p.limit_window - keep
        LIMIT "limit" FOR UPDATE OF o SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    forgotten := forgotten + n;

    -- Nobody holds such a lock, and who needs it again makes it again.
    DELETE FROM customer_limit c
    WHERE c.ctid = ANY (ARRAY(
        SELECT o.ctid FROM customer_limit o WHERE o.locked_on < current_date - 1 LIMIT "limit" FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN forgotten + n;
END
$$;
COMMENT ON FUNCTION holdfast.forget_waiting(int) IS
    'internal to maintain: removes tickets a day after they were used or expired, those that have lapsed and are a day old, and counts whose window has passed, at most so many of each at once; returns how many rows.';

-- Part 45: coupons.  A use of a coupon is reserved as stock is: HELD with its order, USED when the order
-- completes, RELEASED or EXPIRED when it ends otherwise.  What is HELD or USED is counted in two places,
-- per user and per coupon, and a limit is the condition of the update that counts: see take_coupon in
-- extension/src/backend/order_sql.c.  Locks are taken after those of the stock: users' counters by code
-- and user, then the coupons' own by code, which every order with the coupon needs.

-- One row per coupon, updated by every order that uses it: as holdfast.stock.
CREATE TABLE holdfast.coupon (
    code            text COLLATE "C" PRIMARY KEY,
    currency        text NOT NULL,
    amount          bigint,
    percent         numeric(5, 2),
    max_discount    bigint,
    minimum_amount  bigint NOT NULL,
    valid_from      timestamptz,
    valid_until     timestamptz,
    total_uses      bigint,
    uses_per_user   bigint,
    uses            bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT coupon_not_overused CHECK (uses >= 0 AND (total_uses IS NULL OR uses <= total_uses))
) WITH (fillfactor = 10,
        autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE holdfast.coupon IS 'what a buyer may name to pay less; written by set_coupon()';
COMMENT ON COLUMN holdfast.coupon.amount IS 'taken off, in minor units; NULL: percent says how much';
COMMENT ON COLUMN holdfast.coupon.max_discount IS 'the most that percent takes off';
COMMENT ON COLUMN holdfast.coupon.minimum_amount IS 'what the order must cost without coupons';
COMMENT ON COLUMN holdfast.coupon.uses IS 'HELD or USED; never more than total_uses';

CREATE TABLE holdfast.coupon_user (
    code     text COLLATE "C" NOT NULL,
    user_id  bigint NOT NULL,
    uses     bigint NOT NULL DEFAULT 0 CHECK (uses >= 0),
    PRIMARY KEY (code, user_id)
) WITH (fillfactor = 90);
COMMENT ON TABLE holdfast.coupon_user IS 'how often a user has used a coupon, HELD or USED';

CREATE TABLE holdfast.coupon_use (
    order_id         bigint NOT NULL,
    code             text COLLATE "C" NOT NULL,
    user_id          bigint NOT NULL,
    discount_amount  bigint NOT NULL CHECK (discount_amount > 0),
    state            text NOT NULL CHECK (state IN ('HELD', 'USED', 'RELEASED', 'EXPIRED')),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, code)
) PARTITION BY RANGE (order_id);
CREATE INDEX coupon_use_code ON holdfast.coupon_use (code, user_id);
CREATE TABLE holdfast.coupon_use_p0 PARTITION OF holdfast.coupon_use
    FOR VALUES FROM (MINVALUE) TO (10000000) WITH (fillfactor = 90);
CREATE TABLE holdfast.coupon_use_default PARTITION OF holdfast.coupon_use DEFAULT;
COMMENT ON TABLE holdfast.coupon_use IS
    'HELD -> USED | RELEASED | EXPIRED, with the order; coupon.uses counts what is HELD or USED';

CREATE SEQUENCE holdfast.coupon_history_id_seq;
CREATE TABLE holdfast.coupon_history (
    history_id  bigint PRIMARY KEY DEFAULT nextval('holdfast.coupon_history_id_seq'),
    code        text COLLATE "C" NOT NULL,
    cause       text NOT NULL CHECK (cause IN ('SET', 'STOP', 'REPAIR')),
    definition  jsonb NOT NULL,
    reason      text,
    actor       text NOT NULL DEFAULT session_user,
    at          timestamptz NOT NULL DEFAULT now()
);
ALTER SEQUENCE holdfast.coupon_history_id_seq OWNED BY holdfast.coupon_history.history_id;
CREATE INDEX coupon_history_code ON holdfast.coupon_history (code, history_id);
COMMENT ON TABLE holdfast.coupon_history IS 'every change of a coupon by hand: who, when, why; append-only';
COMMENT ON COLUMN holdfast.coupon_history.definition IS 'the coupon after it';

CREATE FUNCTION holdfast.note_coupon(c holdfast.coupon, cause text, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    INSERT INTO coupon_history (code, cause, definition, reason)
    VALUES (c.code, cause, jsonb_strip_nulls(jsonb_build_object(
                'currency', c.currency, 'amount', c.amount, 'percent', c.percent, 'maxDiscount', c.max_discount,
                'minimumAmount', c.minimum_amount, 'validFrom', event_time(c.valid_from),
                'validUntil', event_time(c.valid_until), 'totalUses', c.total_uses,
                'usesPerUser', c.uses_per_user, 'uses', c.uses)), reason);
END
$$;
COMMENT ON FUNCTION holdfast.note_coupon IS 'internal: a line of coupon_history.';

CREATE PROCEDURE holdfast.set_coupon(
    code text, currency text DEFAULT 'KRW', amount bigint DEFAULT NULL, percent numeric DEFAULT NULL,
    max_discount bigint DEFAULT NULL, minimum_amount bigint DEFAULT 0,
    valid_from timestamptz DEFAULT NULL, valid_until timestamptz DEFAULT NULL,
    total_uses bigint DEFAULT NULL, uses_per_user bigint DEFAULT NULL, reason text DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    problem text;
    old coupon;
    changed coupon;
BEGIN
    IF set_coupon.code IS NULL OR set_coupon.currency IS NULL OR set_coupon.minimum_amount IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'code, currency and minimum_amount of a coupon must not be null';
    END IF;
    problem := CASE
        WHEN set_coupon.code !~ '^[A-Za-z0-9._-]{1,64}$' THEN
            'code must have 1 to 64 letters, digits, dots, underscores and hyphens'
        WHEN set_coupon.currency !~ '^[A-Z]{3}$' THEN format('"%s" is not a currency', set_coupon.currency)
        WHEN num_nonnulls(set_coupon.amount, set_coupon.percent) <> 1 THEN 'either amount or percent says what it is worth'
        WHEN set_coupon.amount <= 0 THEN 'amount must be positive'
        WHEN set_coupon.percent <= 0 OR set_coupon.percent > 100 OR set_coupon.percent <> round(set_coupon.percent, 2) THEN
            'percent must be more than 0, at most 100, and have at most two decimals'
        WHEN set_coupon.max_discount <= 0 OR num_nonnulls(set_coupon.max_discount, set_coupon.amount) = 2 THEN
            'max_discount is the most that percent takes off, and positive'
        WHEN set_coupon.minimum_amount < 0 THEN 'minimum_amount must not be negative'
        WHEN set_coupon.valid_from >= set_coupon.valid_until THEN 'valid_from must be before valid_until'
        WHEN set_coupon.total_uses <= 0 OR set_coupon.uses_per_user <= 0 THEN 'total_uses and uses_per_user must be positive'
    END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF036', MESSAGE = format('coupon "%s": %s', set_coupon.code, problem);
    END IF;

    INSERT INTO coupon AS c (code, currency, amount, percent, max_discount, minimum_amount, valid_from, valid_until,
                             total_uses, uses_per_user)
    VALUES (set_coupon.code, set_coupon.currency, set_coupon.amount, set_coupon.percent, set_coupon.max_discount,
            set_coupon.minimum_amount, set_coupon.valid_from, set_coupon.valid_until, set_coupon.total_uses,
            set_coupon.uses_per_user)
    ON CONFLICT DO NOTHING
    RETURNING * INTO changed;
    IF NOT FOUND THEN
        SELECT * INTO STRICT old FROM coupon c WHERE c.code = set_coupon.code FOR NO KEY UPDATE;
        IF set_coupon.total_uses < old.uses THEN
            RAISE EXCEPTION USING ERRCODE = 'HF037',
                MESSAGE = format('coupon "%s" was used %s times, so total_uses cannot become %s',
                                 old.code, old.uses, set_coupon.total_uses),
                HINT = 'Use stop_coupon to have it used no more.';
        END IF;
        UPDATE coupon c
        SET currency = set_coupon.currency, amount = set_coupon.amount, percent = set_coupon.percent,
            max_discount = set_coupon.max_discount, minimum_amount = set_coupon.minimum_amount,
            valid_from = set_coupon.valid_from, valid_until = set_coupon.valid_until,
            total_uses = set_coupon.total_uses, uses_per_user = set_coupon.uses_per_user
        WHERE c.code = old.code
        RETURNING * INTO changed;
        IF changed IS NOT DISTINCT FROM old THEN
            RETURN;
        END IF;
    END IF;
    PERFORM note_coupon(changed, 'SET', set_coupon.reason);
END
$$;
COMMENT ON PROCEDURE holdfast.set_coupon IS
    'Creates a coupon, or makes it what the call says; what is left out is no limit. It takes off amount (minor units), or percent of what the order costs, rounded down and at most max_discount, from orders of at least minimum_amount in its currency, from valid_from until valid_until, total_uses times in all and uses_per_user times for each user. Counts for orders from now on. HF036 for what makes no coupon, HF037 for fewer total_uses than there were uses.';

CREATE PROCEDURE holdfast.stop_coupon(code text, reason text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    changed coupon;
BEGIN
    IF stop_coupon.code IS NULL OR stop_coupon.reason IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'code and reason of a stop must not be null';
    END IF;
    UPDATE coupon c SET valid_until = clock_timestamp()
    WHERE c.code = stop_coupon.code AND coalesce(c.valid_until > clock_timestamp(), true)
    RETURNING * INTO changed;
    IF FOUND THEN
        PERFORM note_coupon(changed, 'STOP', stop_coupon.reason);
    ELSIF NOT EXISTS (SELECT FROM coupon c WHERE c.code = stop_coupon.code) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF038', MESSAGE = format('coupon "%s" does not exist', stop_coupon.code);
    END IF;
END
$$;
COMMENT ON PROCEDURE holdfast.stop_coupon IS
    'A coupon is not valid from now on; orders that hold a use of it keep it. set_coupon makes it valid again.';

CREATE FUNCTION holdfast.coupon_availability(codes text[] DEFAULT NULL, user_id bigint DEFAULT NULL)
RETURNS TABLE (code text, currency text, amount bigint, percent numeric, max_discount bigint, minimum_amount bigint,
               valid_from timestamptz, valid_until timestamptz, is_valid boolean,
               total_uses bigint, uses bigint, uses_left bigint, user_uses_left bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT c.code, c.currency, c.amount, c.percent, c.max_discount, c.minimum_amount, c.valid_from, c.valid_until,
           coalesce(c.valid_from <= clock_timestamp(), true) AND coalesce(c.valid_until > clock_timestamp(), true),
           c.total_uses, c.uses, c.total_uses - c.uses,
           CASE WHEN coupon_availability.user_id IS NOT NULL AND c.uses_per_user IS NOT NULL
                THEN greatest(c.uses_per_user - coalesce(u.uses, 0), 0) END
    FROM holdfast.coupon c
         LEFT JOIN holdfast.coupon_user u ON u.code = c.code AND u.user_id = coupon_availability.user_id
    WHERE codes IS NULL OR c.code = ANY (codes)
    ORDER BY c.code;
END;
COMMENT ON FUNCTION holdfast.coupon_availability IS
    'What can be used now, of the given coupons or of all; null in uses_left and user_uses_left: any number. What is left to a user is known with a user_id only.';

CREATE FUNCTION holdfast.end_coupon_uses(order_ids bigint[], new_state text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held CONSTANT text := 'HELD';
    freed_codes text[];
    freed_users bigint[];
    part record;
BEGIN
    WITH ended AS (
        UPDATE coupon_use u SET state = new_state, updated_at = now()
        WHERE u.order_id = ANY (order_ids) AND u.state = held
        RETURNING u.code, u.user_id)
    SELECT array_agg(e.code), array_agg(e.user_id) INTO freed_codes, freed_users FROM ended e;
    -- What is used is counted as what was held.
    IF freed_codes IS NULL OR new_state = 'USED' THEN
        RETURN;
    END IF;

    -- One update per row, however many orders gave it back, in the order in which orders take them.
    FOR part IN
        SELECT f.code COLLATE "C" AS code, f.user_id, count(*) AS uses FROM unnest(freed_codes, freed_users) AS f(code, user_id)
        GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
        UPDATE coupon_user u SET uses = u.uses - part.uses WHERE u.code = part.code AND u.user_id = part.user_id;
    END LOOP;
    FOR part IN
        SELECT f.code COLLATE "C" AS code, count(*) AS uses FROM unnest(freed_codes) AS f(code) GROUP BY 1 ORDER BY 1
    LOOP
        UPDATE coupon c SET uses = c.uses - part.uses WHERE c.code = part.code;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.end_coupon_uses IS
    'internal to complete_orders and end_orders: what the orders HELD of coupons is USED, or goes back (RELEASED, EXPIRED). The orders and their stock must be locked.';

CREATE FUNCTION holdfast.reconcile_coupons(repair boolean DEFAULT false)
RETURNS TABLE (code text, user_id bigint, "check" text, expected bigint, actual bigint, repaired boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    difference record;
    changed coupon;
    active bigint;
BEGIN
    -- As in reconcile(): one statement is one snapshot, and what differs in it differs in truth.  Users come
    -- first, as everywhere where both are locked.
    FOR difference IN
        WITH active AS (
            SELECT u.code, u.user_id, count(*) AS uses,
                   count(*) FILTER (WHERE o.status IS DISTINCT FROM CASE u.state
                       WHEN 'HELD' THEN 'PENDING' WHEN 'USED' THEN 'COMPLETED' END) AS wrong
            FROM coupon_use u LEFT JOIN orders o ON o.order_id = u.order_id
            WHERE u.state IN ('HELD', 'USED') GROUP BY u.code, u.user_id),
        of_coupons AS (
            SELECT a.code, sum(a.uses)::bigint AS uses, sum(a.wrong)::bigint AS wrong FROM active a GROUP BY a.code)
        SELECT d.*
        FROM (SELECT c.code, NULL::bigint AS user_id, k.name, k.expected, k.actual
              FROM coupon c LEFT JOIN of_coupons a ON a.code = c.code
                   CROSS JOIN LATERAL (VALUES
                       ('uses = held and used', coalesce(a.uses, 0), c.uses),
                       ('use state = order status', 0, coalesce(a.wrong, 0))) AS k(name, expected, actual)
              WHERE k.expected <> k.actual
              UNION ALL
              SELECT coalesce(a.code, u.code), coalesce(a.user_id, u.user_id), 'uses of user = held and used',
                     coalesce(a.uses, 0), coalesce(u.uses, 0)
              FROM active a FULL JOIN coupon_user u ON u.code = a.code AND u.user_id = a.user_id
              WHERE coalesce(a.uses, 0) <> coalesce(u.uses, 0)) d
        ORDER BY d.user_id IS NULL, d.code, d.user_id, d.name
    LOOP
        code := difference.code;
        user_id := difference.user_id;
        "check" := difference.name;
        expected := difference.expected;
        actual := difference.actual;
        repaired := false;

        IF repair AND difference.name = 'uses of user = held and used' THEN
            -- Under the counter's lock nobody is between the use and its counting.
            INSERT INTO coupon_user (code, user_id) VALUES (difference.code, difference.user_id) ON CONFLICT DO NOTHING;
            PERFORM FROM coupon_user u WHERE u.code = difference.code AND u.user_id = difference.user_id FOR NO KEY UPDATE;
            UPDATE coupon_user u
            SET uses = (SELECT count(*) FROM coupon_use t
                        WHERE t.code = u.code AND t.user_id = u.user_id AND t.state IN ('HELD', 'USED'))
            WHERE u.code = difference.code AND u.user_id = difference.user_id;
            repaired := true;
        ELSIF repair AND difference.name = 'uses = held and used' THEN
            SELECT * INTO STRICT changed FROM coupon c WHERE c.code = difference.code FOR NO KEY UPDATE;
            active := (SELECT count(*) FROM coupon_use t WHERE t.code = changed.code AND t.state IN ('HELD', 'USED'));
            IF active > changed.total_uses THEN
                RAISE EXCEPTION USING ERRCODE = 'HF037',
                    MESSAGE = format('coupon "%s" was used %s times, and total_uses is %s', changed.code, active, changed.total_uses),
                    HINT = 'Call set_coupon with more total_uses, or cancel orders; then reconcile again.';
            END IF;
            UPDATE coupon c SET uses = active WHERE c.code = changed.code RETURNING * INTO changed;
            PERFORM note_coupon(changed, 'REPAIR', format('uses was %s', difference.actual));
            repaired := true;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.reconcile_coupons IS
    'Differences between the counters of coupons, their uses and the orders; no rows: all agree. repair=true sets the counters to what the uses say; the rest needs a decision and is only listed. HF037 when a coupon was used more often than it may be.';

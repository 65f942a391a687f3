-- Part 50: what happens to an order after it was placed.  complete_orders() and end_orders() make the
-- transitions, for many orders at once; everything else decides which orders they are.
--
-- Plans are kept for the session, and the first calls often meet small tables: enable_seqscan = off keeps
-- a plan from being made for those, and force_generic_plan keeps one at all, because a plan for all partitions
-- looks dearer than a new one for each call and is not.  For the same reason each access says which orders it
-- wants, and 'HELD' is a variable where the partial index on held reservations is not meant.

CREATE FUNCTION holdfast.next_order_id() RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    RETURN nextval('holdfast.order_id_seq');
COMMENT ON FUNCTION holdfast.next_order_id() IS 'An order id to be passed to place_order in options.orderId.';

CREATE FUNCTION holdfast.lock_order_id(order_id bigint) RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(hashtextextended('holdfast.order', order_id));
END;
COMMENT ON FUNCTION holdfast.lock_order_id(bigint) IS
    'Locks the id of an order that may not exist yet, until the end of the transaction: between placing it under a chosen id and leaving a tombstone for it, one must see the other.';

CREATE FUNCTION holdfast.await_order(order_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    -- Only the unique index knows of a row that nobody sees yet: inserting its key waits for the other
    -- transaction.  When there is none, what was inserted is undone.
    INSERT INTO orders (order_id, user_id, status, original_total_amount, final_total_amount)
    VALUES (await_order.order_id, 0, 'PENDING', 0, 0);
    RAISE EXCEPTION USING ERRCODE = 'HF007';
EXCEPTION
    WHEN unique_violation THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
                MESSAGE = format('order %s is newer than the snapshot of this transaction', await_order.order_id);
        END IF;
        RETURN true;
    WHEN SQLSTATE 'HF007' THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION holdfast.await_order(bigint) IS
    'True when there is an order that was not seen. A commit is in the WAL, and so in Kafka, before others see it (with a synchronous standby long before), and an answer may come in between: waits until that is over.';

CREATE FUNCTION holdfast.lock_order(order_id bigint) RETURNS holdfast.orders
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    found_row orders;
BEGIN
    IF lock_order.order_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'order_id must not be null';
    END IF;
    LOOP
        SELECT * INTO found_row FROM orders o WHERE o.order_id = lock_order.order_id FOR NO KEY UPDATE;
        IF FOUND THEN
            RETURN found_row;
        ELSIF NOT await_order(lock_order.order_id) THEN
            RAISE EXCEPTION USING ERRCODE = 'HF007', MESSAGE = format('order %s does not exist', lock_order.order_id);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.lock_order(bigint) IS 'The order, locked; HF007 when there is none.';

CREATE FUNCTION holdfast.lock_stock_of(order_ids bigint[]) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM stock s
    WHERE s.product_id = ANY (ARRAY(SELECT DISTINCT l.product_id FROM order_line l
                                    WHERE l.order_id = ANY (lock_stock_of.order_ids)))
    ORDER BY s.product_id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION holdfast.lock_stock_of(bigint[]) IS
    'Locks the stock rows of these (locked) orders, ascending: for who is to take or give back stock for one after the other.';

CREATE FUNCTION holdfast.complete_orders(order_ids bigint[], cause text, payment_ids text[] DEFAULT NULL)
RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    held CONSTANT text := 'HELD';
    done bigint[];
    discounted boolean;
BEGIN
    PERFORM FROM orders o WHERE o.order_id = ANY (order_ids) ORDER BY o.order_id FOR NO KEY UPDATE;

    WITH changed AS (
        UPDATE orders o SET status = 'COMPLETED', updated_at = now()
        WHERE o.order_id = ANY (order_ids) AND o.status = 'PENDING'
        RETURNING o.order_id, o.discount_amount)
    SELECT array_agg(c.order_id ORDER BY c.order_id), bool_or(c.discount_amount > 0) INTO done, discounted FROM changed c;
    IF done IS NULL THEN
        RETURN;
    END IF;

    -- The stock row is left alone: what was held is now sold, and available is what it was.
    UPDATE reservation r SET state = 'SOLD', updated_at = now()
    WHERE r.order_id = ANY (done) AND r.state = held;
    -- A coupon takes something off, or it is not held.
    IF discounted THEN
        PERFORM end_coupon_uses(done, 'USED');
    END IF;

    INSERT INTO order_history (order_id, status, cause, detail)
    SELECT d.order_id, 'COMPLETED', cause,
           CASE WHEN p.payment_id IS NOT NULL THEN jsonb_build_object('paymentId', p.payment_id) END
    FROM unnest(done) AS d(order_id)
         LEFT JOIN (SELECT DISTINCT ON (p.order_id) p.* FROM unnest(order_ids, payment_ids) AS p(order_id, payment_id)
                    WHERE p.payment_id IS NOT NULL ORDER BY p.order_id) p ON p.order_id = d.order_id;

    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    SELECT e.event_id, 'order-events', e.order_id::text, 'OrderConfirmed',
           event_order_events_v1(e.event_id, 'ORDER_CONFIRMED', e.order_id, e.user_id, e.status,
               e.original_total_amount, e.discount_amount, e.final_total_amount, e.trace_id),
           trace_headers(e.traceparent)
    FROM (SELECT uuid_v7() AS event_id, o.*
          FROM (SELECT * FROM orders WHERE order_id = ANY (done) AND placed_elsewhere IS NOT TRUE
                ORDER BY order_id) o) e;
END
$$;
COMMENT ON FUNCTION holdfast.complete_orders IS 'PENDING -> COMPLETED, HELD -> SOLD, order-events; other orders are left alone. payment_ids: the payment that did it, one per order.';

CREATE FUNCTION holdfast.end_orders(
    order_ids bigint[], steps text[], reasons text[], messages text[],
    new_status text, cause text, publish_order_failed boolean, through_saga boolean DEFAULT false)
RETURNS bigint[]
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    held CONSTANT text := 'HELD';
    new_state text := CASE new_status WHEN 'EXPIRED' THEN 'EXPIRED' ELSE 'RELEASED' END;
    stock_cause text := CASE new_status WHEN 'EXPIRED' THEN 'EXPIRE' ELSE 'RELEASE' END;
    session_trace_id text := current_setting('holdfast.trace_id', true);
    with_saga boolean;
    held_back bigint[] := '{}';
    ended bigint[];
    discounted boolean;
    -- What was given back, one element per order and product, ordered by product and order.
    freed_orders bigint[];
    freed_products bigint[];
    freed_quantities bigint[];
    -- The stock rows afterwards, one element per product.
    product record;
    after stock;
    stock_after stock[] := '{}';
BEGIN
    -- Orders ascending, then stock ascending, then coupons, whatever the order of the arguments: two batches never
    -- wait for each other in a circle.
    SELECT bool_or(o.saga IS NOT NULL) INTO with_saga
    FROM (SELECT o.saga FROM orders o WHERE o.order_id = ANY (order_ids) ORDER BY o.order_id FOR NO KEY UPDATE) o;
    IF with_saga AND NOT through_saga THEN
        held_back := saga_end(order_ids, steps, reasons, messages, new_status, cause, publish_order_failed);
    END IF;

    WITH asked AS (
        SELECT DISTINCT ON (a.order_id) a.order_id, a.step, a.reason, a.message
        FROM unnest(order_ids, steps, reasons, messages) WITH ORDINALITY AS a(order_id, step, reason, message, n)
        ORDER BY a.order_id, a.n),
    changed AS (
        UPDATE orders o
        SET status = new_status, updated_at = now(),
            failure_step = a.step, failure_reason = a.reason, failure_message = a.message
        FROM asked a
        WHERE o.order_id = a.order_id AND o.order_id = ANY (order_ids) AND o.status = 'PENDING'
          AND o.order_id <> ALL (held_back)
        RETURNING o.order_id, o.discount_amount)
    SELECT array_agg(c.order_id ORDER BY c.order_id), bool_or(c.discount_amount > 0) INTO ended, discounted FROM changed c;
    IF ended IS NULL THEN
        RETURN '{}';
    END IF;

    -- Only what is HELD goes back.
    WITH freed AS (
        UPDATE reservation r SET state = new_state, updated_at = now()
        WHERE r.order_id = ANY (ended) AND r.state = held
        RETURNING r.order_id, r.product_id, r.quantity)
    SELECT array_agg(f.order_id), array_agg(f.product_id), array_agg(f.quantity)
    INTO freed_orders, freed_products, freed_quantities
    FROM (SELECT * FROM freed ORDER BY product_id, order_id) f;

    -- Nor does it count towards its customer's limit any more.
    DELETE FROM customer_take t WHERE t.order_id = ANY (ended);

    -- One update per product, however many orders gave it back: a row that is updated hundreds of times
    -- in one transaction would be searched through all its versions each time.
    FOR product IN
        SELECT f.product_id, sum(f.quantity)::bigint AS quantity, count(*) AS changes
        FROM unnest(freed_products, freed_quantities) AS f(product_id, quantity)
        GROUP BY f.product_id ORDER BY f.product_id
    LOOP
        UPDATE stock s
        SET reserved = s.reserved - product.quantity, version = s.version + product.changes, updated_at = now()
        WHERE s.product_id = product.product_id
        RETURNING * INTO STRICT after;
        stock_after := stock_after || after;
    END LOOP;
    IF discounted THEN
        PERFORM end_coupon_uses(ended, new_state);
    END IF;

    INSERT INTO order_history (order_id, status, cause, detail)
    SELECT o.order_id, o.status, cause,
           jsonb_build_object('failedStep', o.failure_step, 'reason', o.failure_reason)
    FROM orders o WHERE o.order_id = ANY (ended);

    -- The builders in C++ take the trace from the session, and each order has its own: the subquery sets
    -- it, row by row, before the row's payload is built above it.  (A subquery with volatile functions is
    -- neither flattened nor sorted afterwards.)
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    SELECT e.event_id, e.topic, e.order_id::text,
           CASE e.topic WHEN 'order-failed' THEN 'OrderFailed'
                        WHEN 'inventory-released' THEN 'InventoryReleased'
                        ELSE 'Order' || initcap(e.status) END,
           CASE e.topic
               WHEN 'order-failed' THEN
                   event_order_failed_v1(e.event_id, e.order_id, e.failure_step, e.failure_reason,
                                         e.failure_message, e.lines)
               WHEN 'inventory-released' THEN
                   event_inventory_released_v1(e.event_id, e.order_id, e.lines, e.status, e.trace_id)
               ELSE event_order_events_v1(e.event_id, 'ORDER_' || e.status, e.order_id, e.user_id, e.status,
                   e.original_total_amount, e.discount_amount, e.final_total_amount, e.trace_id)
           END,
           trace_headers(e.traceparent)
    FROM (SELECT o.*, uuid_v7() AS event_id,
                 set_config('holdfast.trace_id', coalesce(o.trace_id, ''), true)
          FROM (SELECT o.*, t.topic, f.lines
                FROM orders o
                     LEFT JOIN (SELECT f.order_id,
                                       json_strip_nulls(json_agg(json_build_object(
                                           'productId', f.product_id, 'quantity', f.quantity)
                                           ORDER BY f.product_id)) AS lines
                                FROM unnest(freed_orders, freed_products, freed_quantities)
                                     AS f(order_id, product_id, quantity)
                                GROUP BY f.order_id) f ON f.order_id = o.order_id
                     CROSS JOIN (VALUES (1, 'order-failed'), (2, 'order-events'), (3, 'inventory-released'))
                         AS t(n, topic)
                WHERE o.order_id = ANY (ended)
                  AND (t.topic <> 'order-failed' OR publish_order_failed)
                  -- What was heard from the payment service whoever placed the order has heard too.
                  AND (o.placed_elsewhere IS NOT TRUE OR t.topic = 'inventory-released'
                       OR t.topic = 'order-failed' AND cause <> 'payment-failed')
                  AND (t.topic <> 'inventory-released' OR f.lines IS NOT NULL)
                ORDER BY o.order_id, t.n) o) e;

    -- As many inventory-updated events as if the orders had ended one after the other.
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    SELECT e.event_id, 'inventory-updated', e.product_id::text, 'InventoryUpdated',
           event_inventory_updated_v1(e.event_id, e.product_id, e.on_hand, e.reserved,
               e.on_hand - e.reserved - e.safety_stock, e.version, stock_cause, e.order_id),
           trace_headers(e.traceparent)
    FROM (SELECT u.*, uuid_v7() AS event_id,
                 set_config('holdfast.trace_id', coalesce(u.trace_id, ''), true)
          FROM (SELECT s.product_id, f.order_id, s.on_hand, s.safety_stock, o.trace_id, o.traceparent,
                       s.reserved + coalesce(sum(f.quantity) OVER later, 0)::bigint AS reserved,
                       s.version - count(*) OVER later AS version
                FROM unnest(freed_orders, freed_products, freed_quantities) AS f(order_id, product_id, quantity)
                     JOIN unnest(stock_after) AS s ON s.product_id = f.product_id
                     JOIN orders o ON o.order_id = f.order_id
                WHERE o.order_id = ANY (ended)
                WINDOW later AS (PARTITION BY f.product_id ORDER BY f.order_id
                                 ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
                ORDER BY f.product_id, f.order_id) u) e;

    PERFORM set_config('holdfast.trace_id', coalesce(session_trace_id, ''), true);

    -- Paid in part: the money goes back.
    PERFORM refund_payments(ended, cause);
    RETURN ended;
END
$$;
COMMENT ON FUNCTION holdfast.end_orders IS
    'PENDING -> FAILED, CANCELLED or EXPIRED with all that follows: what is HELD, what was paid and what counts towards a limit goes back, history, events. Orders in another state, and repetitions, are left alone. Returns the orders that changed. One step, reason and message per order; publish_order_failed is false when the cause is an order-failed from elsewhere. An order whose saga has steps that a procedure of the user''s must undo turns back now and ends when that is done (part 58); through_saga: it is done.';

CREATE PROCEDURE holdfast.complete_order(
    order_id bigint, INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    o orders := lock_order(order_id);
BEGIN
    IF o.status = 'PENDING' AND o.saga IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s follows the saga %s, which completes it', o.order_id, o.saga),
            HINT = 'Its payment is told by complete_payment; saga_resolve(..., ''force_complete'', ...) leaves out what is missing.';
    ELSIF o.status = 'PENDING' THEN
        PERFORM complete_orders(ARRAY[o.order_id], 'complete_order');
        detail := '{}';
    ELSIF o.status = 'COMPLETED' THEN
        detail := '{"replayed": true}';
    ELSE
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s is %s and cannot be completed', o.order_id, o.status);
    END IF;
    status := 'COMPLETED';
    detail := jsonb_build_object('finalTotalAmount', o.final_total_amount, 'currency', o.currency) || detail;
END
$$;
COMMENT ON PROCEDURE holdfast.complete_order IS
    'PENDING -> COMPLETED: what was held is sold. A second call changes nothing and says so in detail.replayed.';

CREATE FUNCTION holdfast.end_order(
    order_id bigint, new_status text, step text, reason text, cause text, verb text,
    OUT status text, OUT detail jsonb)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    o orders := lock_order(order_id);
BEGIN
    IF o.status = 'PENDING' THEN
        PERFORM end_orders(ARRAY[o.order_id], ARRAY[step], ARRAY[reason],
                           ARRAY[format('order %s was %s', o.order_id, verb)], new_status, cause, true);
        status := new_status;
        detail := jsonb_build_object('failedStep', step, 'reason', reason);
        IF o.saga IS NOT NULL THEN
            o := lock_order(o.order_id);
            status := o.status;
            detail := detail || saga_detail(o, verb);
        END IF;
    ELSIF o.status = new_status THEN
        status := new_status;
        detail := jsonb_build_object('failedStep', o.failure_step, 'reason', o.failure_reason, 'replayed', true);
    ELSE
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s is %s and cannot be %s', o.order_id, o.status, verb);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.end_order IS 'fail_order and cancel_order: guard, transition, answer.';

CREATE PROCEDURE holdfast.fail_order(
    order_id bigint, reason text DEFAULT NULL,
    INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    SELECT e.status, e.detail INTO status, detail
    FROM end_order(order_id, 'FAILED', 'PAYMENT', coalesce(reason, 'PAYMENT_FAILED'), 'fail_order', 'failed') e;
END
$$;
COMMENT ON PROCEDURE holdfast.fail_order IS
    'PENDING -> FAILED: a later step did not work, the stock goes back. A second call changes nothing and reports the first reason. status PENDING and detail.saga COMPENSATING: procedures of the user''s have to undo steps first.';

CREATE PROCEDURE holdfast.cancel_order(
    order_id bigint, reason text DEFAULT NULL,
    INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    SELECT e.status, e.detail INTO status, detail
    FROM end_order(order_id, 'CANCELLED', 'CANCEL', coalesce(reason, 'CANCELLED'), 'cancel_order', 'cancelled') e;
END
$$;
COMMENT ON PROCEDURE holdfast.cancel_order IS
    'PENDING -> CANCELLED: the buyer does not want it, the stock goes back. A second call changes nothing and reports the first reason. status PENDING and detail.saga COMPENSATING: procedures of the user''s have to undo steps first.';

CREATE PROCEDURE holdfast.extend_hold(
    order_id bigint, extension interval, INOUT expires_at timestamptz DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    o orders := lock_order(order_id);
BEGIN
    IF extension IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'extension must not be null';
    END IF;
    IF extension <= interval '0' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF009',
            MESSAGE = format('extension of a hold must be positive, not %s', extension);
    END IF;
    IF o.status <> 'PENDING' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s is %s and holds nothing', o.order_id, o.status);
    END IF;

    -- A hold that is past its time and not yet swept is still held; it is extended from now on.
    extend_hold.expires_at := greatest(o.expires_at, now()) + extension;
    UPDATE orders t SET expires_at = extend_hold.expires_at, updated_at = now()
    WHERE t.order_id = o.order_id;
    UPDATE reservation t SET expires_at = extend_hold.expires_at, updated_at = now()
    WHERE t.order_id = o.order_id AND t.state = 'HELD' AND t.expires_at IS NOT NULL;
    INSERT INTO order_history (order_id, status, cause, detail)
    VALUES (o.order_id, o.status, 'extend_hold', jsonb_build_object('expiresAt', event_time(extend_hold.expires_at)));
END
$$;
COMMENT ON PROCEDURE holdfast.extend_hold IS 'The hold of a PENDING order lasts longer, counted from its end.';

CREATE FUNCTION holdfast.expire_holds("limit" int DEFAULT 1000) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    due bigint[];
BEGIN
    IF "limit" IS NULL OR "limit" <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF009', MESSAGE = 'limit must be positive';
    END IF;
    -- An order that somebody is completing, cancelling or sweeping right now is left to them.
    SELECT array_agg(d.order_id) INTO due
    FROM (SELECT o.order_id
          FROM orders o
          WHERE o.status = 'PENDING' AND o.expires_at <= now()
            AND o.order_id = ANY (ARRAY(
                SELECT DISTINCT r.order_id
                FROM (SELECT r.order_id FROM reservation r
                      WHERE r.state = 'HELD' AND r.expires_at <= now()
                      ORDER BY r.expires_at LIMIT "limit"::bigint) r))
          ORDER BY o.order_id
          FOR NO KEY UPDATE SKIP LOCKED) d;
    IF due IS NULL THEN
        RETURN 0;
    END IF;
    RETURN cardinality(end_orders(
        due,
        array_fill('TIMEOUT'::text, ARRAY[cardinality(due)]),
        array_fill('EXPIRED'::text, ARRAY[cardinality(due)]),
        ARRAY(SELECT format('the hold of order %s expired', d) FROM unnest(due) d),
        'EXPIRED', 'expire_holds', true));
END
$$;
COMMENT ON FUNCTION holdfast.expire_holds IS
    'Ends orders whose hold is over, at most so many reservations at once; returns how many orders. Any number of callers may run it at the same time.';

CREATE FUNCTION holdfast.order_status(order_id bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    o orders;
BEGIN
    IF order_status.order_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'order_id must not be null';
    END IF;
    SELECT * INTO o FROM orders t WHERE t.order_id = order_status.order_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF007', MESSAGE = format('order %s does not exist', order_status.order_id);
    END IF;

    RETURN jsonb_strip_nulls(jsonb_build_object(
        'orderId', o.order_id, 'userId', o.user_id, 'status', o.status, 'currency', o.currency,
        'originalTotalAmount', o.original_total_amount, 'discountAmount', o.discount_amount,
        'finalTotalAmount', o.final_total_amount, 'traceId', o.trace_id,
        'failedStep', o.failure_step, 'reason', o.failure_reason, 'message', o.failure_message,
        'createdAt', event_time(o.created_at), 'updatedAt', event_time(o.updated_at),
        'expiresAt', CASE WHEN o.status = 'PENDING' THEN event_time(o.expires_at) END,
        'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                             'productId', l.product_id, 'quantity', l.quantity, 'unitPrice', l.unit_price,
                             'discountAmount', nullif(l.discount_amount, 0), 'reservation', r.state) ORDER BY l.line_no), '[]')
                  FROM order_line l
                       LEFT JOIN reservation r ON r.order_id = l.order_id AND r.product_id = l.product_id
                  WHERE l.order_id = o.order_id),
        'coupons', CASE WHEN o.discount_amount > 0 THEN
                       (SELECT jsonb_agg(jsonb_build_object(
                                   'code', u.code, 'discountAmount', u.discount_amount, 'state', u.state) ORDER BY u.code)
                        FROM coupon_use u WHERE u.order_id = o.order_id) END,
        'payments', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                'paymentId', p.payment_id, 'status', p.status, 'amount', p.amount,
                                'attempt', p.attempt, 'transactionKey', p.transaction_key, 'reason', p.reason,
                                'history', h.history) ORDER BY p.created_at, p.attempt, p.payment_id), '[]')
                     FROM payment p
                          LEFT JOIN (SELECT h.payment_id,
                                            jsonb_agg(jsonb_build_object(
                                                'at', event_time(h.at), 'cause', h.cause, 'status', h.status)
                                                ORDER BY h.at) AS history
                                     FROM payment_history h WHERE h.order_id = o.order_id
                                     GROUP BY h.payment_id) h ON h.payment_id = p.payment_id
                     WHERE p.order_id = o.order_id),
        'timeline', jsonb_build_array(jsonb_build_object(
                        'at', event_time(o.created_at), 'cause', 'place_order',
                        'status', CASE WHEN o.expires_at IS NULL AND o.failure_step IS NOT NULL THEN o.status ELSE 'PENDING' END))
                    || (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                   'at', event_time(h.at), 'cause', h.cause, 'status', h.status) ORDER BY h.at), '[]')
                        FROM order_history h WHERE h.order_id = o.order_id)));
END
$$;
COMMENT ON FUNCTION holdfast.order_status(bigint) IS 'State, lines, coupons, payments with their history, and timeline of an order.';

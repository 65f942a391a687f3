-- Part 52: payments.  A payment belongs to one order and changes only under the lock of that order.
-- write_payment() makes every change, with its history and its events; settle_payment() and
-- decline_payment() decide what the outcome of a payment means for its order.  The procedures here come
-- from an application that calls its payment service itself, and publish payment-completed and
-- payment-failed; the handlers of part 55 come from a payment service that has published them.

CREATE FUNCTION holdfast.payment_of(o holdfast.orders, payment_id text) RETURNS holdfast.payment
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    found_row payment;
BEGIN
    SELECT * INTO found_row FROM payment p WHERE p.payment_id = payment_of.payment_id;
    IF found_row.order_id <> o.order_id THEN
        RAISE EXCEPTION USING ERRCODE = 'HF024',
            MESSAGE = format('payment "%s" is for order %s, not for order %s',
                             payment_of.payment_id, found_row.order_id, o.order_id);
    END IF;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION holdfast.payment_of IS
    'The payment of that (locked) order, NULL when it is not known; HF024 when it is another order''s.';

CREATE FUNCTION holdfast.await_payment(payment_id text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    INSERT INTO payment (payment_id, order_id, status) VALUES (await_payment.payment_id, 0, 'PENDING');
    RAISE EXCEPTION USING ERRCODE = 'HF007';
EXCEPTION
    WHEN unique_violation THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
                MESSAGE = format('payment "%s" is newer than the snapshot of this transaction', await_payment.payment_id);
        END IF;
        RETURN true;
    WHEN SQLSTATE 'HF007' THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION holdfast.await_payment(text) IS 'As await_order(), for a payment.';

CREATE FUNCTION holdfast.lock_order_of_payment(payment_id text) RETURNS holdfast.orders
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    order_id bigint;
BEGIN
    IF lock_order_of_payment.payment_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'payment_id must not be null';
    END IF;
    SELECT p.order_id INTO order_id FROM payment p WHERE p.payment_id = lock_order_of_payment.payment_id;
    IF NOT FOUND AND await_payment(lock_order_of_payment.payment_id) THEN
        SELECT p.order_id INTO order_id FROM payment p WHERE p.payment_id = lock_order_of_payment.payment_id;
    END IF;
    IF order_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF007',
            MESSAGE = format('payment "%s" does not exist', lock_order_of_payment.payment_id);
    END IF;
    RETURN lock_order(order_id);
END
$$;
COMMENT ON FUNCTION holdfast.lock_order_of_payment(text) IS 'The order that a payment is for, locked; HF007 when there is no such payment.';

CREATE FUNCTION holdfast.touch_order(order_id bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    UPDATE orders o SET updated_at = now() WHERE o.order_id = touch_order.order_id;
END
$$;
COMMENT ON FUNCTION holdfast.touch_order(bigint) IS
    'After a change of a payment that leaves its order as it is: a transaction whose snapshot is older then fails when it locks the order (40001), and does not miss the payment.';

CREATE FUNCTION holdfast.write_payment(
    o holdfast.orders, p holdfast.payment, cause text, publish boolean, retryable boolean DEFAULT NULL)
RETURNS holdfast.payment
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    written payment;
BEGIN
    INSERT INTO payment AS t (payment_id, order_id, user_id, amount, status, attempt, transaction_key, card_type,
                              reason, due_at)
    VALUES (p.payment_id, o.order_id, o.user_id, p.amount, p.status, p.attempt, p.transaction_key, p.card_type,
            p.reason, p.due_at)
    ON CONFLICT (payment_id) DO UPDATE
        SET amount = excluded.amount, status = excluded.status, transaction_key = excluded.transaction_key,
            card_type = excluded.card_type, reason = excluded.reason, updated_at = now()
        WHERE t.order_id = excluded.order_id
    RETURNING * INTO written;
    -- Another order's payment took the id since we looked.
    IF NOT FOUND THEN
        RETURN payment_of(o, p.payment_id);
    END IF;

    INSERT INTO payment_history (order_id, payment_id, status, cause, detail)
    VALUES (o.order_id, written.payment_id, written.status, cause,
            jsonb_strip_nulls(jsonb_build_object(
                'amount', written.amount, 'attempt', written.attempt, 'transactionKey', written.transaction_key,
                'cardType', written.card_type, 'reason', written.reason)));
    IF written.status = 'REFUND_PENDING' THEN
        INSERT INTO order_history (order_id, status, cause, detail)
        VALUES (o.order_id, o.status, 'refund requested',
                jsonb_build_object('paymentId', written.payment_id, 'amount', written.amount, 'reason', written.reason));
    END IF;

    -- That a payment was begun is nobody else's business yet.
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    SELECT e.event_id, e.topic,
           CASE e.topic WHEN 'payment-event' THEN written.payment_id ELSE o.order_id::text END,
           e.type,
           CASE e.topic
               WHEN 'payment-completed' THEN
                   event_payment_completed_v1(e.event_id, written.payment_id, written.transaction_key, o.order_id,
                       written.user_id, written.amount, o.currency, written.card_type, o.trace_id)
               WHEN 'payment-failed' THEN
                   event_payment_failed_v1(e.event_id, written.payment_id, written.transaction_key, o.order_id,
                       written.user_id, written.amount, o.currency, written.card_type, written.reason, retryable,
                       o.trace_id)
               WHEN 'refund-requested' THEN
                   event_refund_requested_v1(e.event_id, o.order_id, written.payment_id, written.amount,
                       written.reason, 'refund-' || written.payment_id, o.trace_id)
               ELSE event_payment_event_v1(e.event_id, written.payment_id, o.order_id, written.status,
                       written.amount, o.currency, o.trace_id)
           END,
           trace_headers(o.traceparent)
    FROM (SELECT uuid_v7() AS event_id, t.*
          FROM (SELECT t.topic, t.type
                FROM (VALUES (1, 'payment-completed', 'PaymentCompleted', 'COMPLETED'),
                             (2, 'payment-failed', 'PaymentFailed', 'FAILED'),
                             (3, 'refund-requested', 'RefundRequested', 'REFUND_PENDING'),
                             (4, 'payment-event', 'PaymentStored', written.status)) AS t(n, topic, type, status)
                WHERE t.status = written.status AND written.status <> 'PENDING'
                  AND (publish OR t.topic NOT IN ('payment-completed', 'payment-failed'))
                  AND (o.placed_elsewhere IS NOT TRUE OR t.topic = 'refund-requested')
                ORDER BY t.n) t) e;
    RETURN written;
END
$$;
COMMENT ON FUNCTION holdfast.write_payment IS
    'Stores a payment as it is now, with its history and one event per topic: payment-event whenever it has reached a state after PENDING, refund-requested for REFUND_PENDING, payment-completed and payment-failed when publish says that nobody else has published them. The order must be locked.';

CREATE FUNCTION holdfast.settle_payment(
    o holdfast.orders, p holdfast.payment, amount bigint, cause text, publish boolean,
    OUT settled holdfast.payment, OUT pays_order boolean)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    paid bigint;
    paid_before boolean;
    unpaid bigint;
BEGIN
    -- A COMPLETED order was paid once; what it gave back since, at the buyer's wish, is not owed again.
    SELECT coalesce(sum(t.amount), 0), count(*) > 0 INTO paid, paid_before
    FROM payment t
    WHERE t.order_id = o.order_id
      AND (t.status = 'COMPLETED'
           OR o.status = 'COMPLETED' AND t.status IN ('REFUND_PENDING', 'REFUNDED')
              AND EXISTS (SELECT FROM payment_history h
                          WHERE h.order_id = o.order_id AND h.payment_id = t.payment_id AND h.status = 'COMPLETED'));
    unpaid := o.final_total_amount - paid;

    p.status := 'REFUND_PENDING';
    IF o.status NOT IN ('PENDING', 'COMPLETED') THEN
        p.reason := 'ORDER_' || o.status;
    ELSIF paid_before AND (unpaid <= 0 OR settle_payment.amount > unpaid) THEN
        p.reason := 'ALREADY_PAID';
    ELSIF p.attempt IS NOT NULL AND settle_payment.amount <> p.amount THEN
        RAISE EXCEPTION USING ERRCODE = 'HF011',
            MESSAGE = format('payment "%s" is %s, but was begun for %s %s',
                             p.payment_id, settle_payment.amount, p.amount, o.currency);
    ELSIF p.attempt IS NULL AND settle_payment.amount <> unpaid THEN
        RAISE EXCEPTION USING ERRCODE = 'HF011',
            MESSAGE = CASE WHEN paid_before
                           THEN format('payment "%s" is %s, but of order %s %s %s are unpaid',
                                       p.payment_id, settle_payment.amount, o.order_id, unpaid, o.currency)
                           ELSE format('payment "%s" is %s, but order %s costs %s %s',
                                       p.payment_id, settle_payment.amount, o.order_id, unpaid, o.currency) END;
    ELSE
        p.status := 'COMPLETED';
        p.reason := NULL;
    END IF;

    p.amount := settle_payment.amount;
    settled := write_payment(o, p, cause, publish);
    pays_order := settled.status = 'COMPLETED' AND o.status = 'PENDING' AND settled.amount = unpaid;
    IF NOT pays_order OR o.saga IS NOT NULL THEN
        PERFORM touch_order(o.order_id);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.settle_payment IS
    'The money was taken: the payment is COMPLETED; pays_order: it is the last one that its order missed, and the caller calls orders_paid(). Of an order that has ended, or has been paid already, it becomes REFUND_PENDING. HF011 when it is not the amount that it was begun for or, begun by nobody here, not all that was unpaid.';

CREATE FUNCTION holdfast.decline_payment(
    o holdfast.orders, p holdfast.payment, cause text, retryable boolean, publish boolean)
RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    begun boolean;
    open_or_paid boolean;
BEGIN
    SELECT coalesce(bool_or(t.attempt IS NOT NULL), false),
           coalesce(bool_or(t.payment_id <> p.payment_id AND t.status IN ('PENDING', 'COMPLETED')), false)
    INTO begun, open_or_paid
    FROM payment t WHERE t.order_id = o.order_id;

    retryable := coalesce(retryable, begun);
    p.status := 'FAILED';
    PERFORM write_payment(o, p, cause, publish, retryable AND o.status = 'PENDING');
    IF o.status = 'PENDING' AND NOT retryable AND NOT open_or_paid THEN
        RETURN true;
    END IF;
    PERFORM touch_order(o.order_id);
    RETURN false;
END
$$;
COMMENT ON FUNCTION holdfast.decline_payment IS
    'The money was not taken: the payment is FAILED. True when the PENDING order has to fail with it: no other payment of it is PENDING or COMPLETED, and no other attempt may follow (retryable; NULL: one may when payments of the order are begun with begin_payment).';

CREATE FUNCTION holdfast.refund_payments(order_ids bigint[], cause text, order_status text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    paid record;
    o orders;
    p payment;
BEGIN
    FOR paid IN
        SELECT t AS known_payment, r AS known_order
        FROM payment t JOIN orders r ON r.order_id = t.order_id
        WHERE t.order_id = ANY (order_ids) AND r.order_id = ANY (order_ids) AND t.status = 'COMPLETED'
        ORDER BY t.order_id, t.created_at, t.attempt, t.payment_id
    LOOP
        o := paid.known_order;
        p := paid.known_payment;
        p.status := 'REFUND_PENDING';
        p.reason := 'ORDER_' || coalesce(refund_payments.order_status, o.status);
        PERFORM write_payment(o, p, cause, true);
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.refund_payments IS 'Asks for the refund of all that was paid for orders that have ended, or will with that status.';

CREATE FUNCTION holdfast.payment_detail(p holdfast.payment) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_strip_nulls(jsonb_build_object(
                       'orderId', o.order_id, 'orderStatus', o.status, 'amount', p.amount, 'currency', o.currency,
                       'attempt', p.attempt, 'transactionKey', p.transaction_key, 'reason', p.reason))
            FROM orders o WHERE o.order_id = p.order_id);
END
$$;
COMMENT ON FUNCTION holdfast.payment_detail IS 'What the procedures for payments answer in detail.';

CREATE PROCEDURE holdfast.begin_payment(
    order_id bigint, amount bigint DEFAULT NULL, INOUT payment_id text DEFAULT NULL,
    INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    o orders := lock_order(order_id);
    p payment;
    -- uuid_v7() loads the library, and with it the settings.
    generated_id uuid := uuid_v7();
    paid bigint;
    pending bigint;
    attempts int;
BEGIN
    IF length(begin_payment.payment_id) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'payment_id must have 1 to 200 characters';
    END IF;

    p := payment_of(o, begin_payment.payment_id);
    IF p.payment_id IS NOT NULL THEN
        IF begin_payment.amount <> p.amount THEN
            RAISE EXCEPTION USING ERRCODE = 'HF006',
                MESSAGE = format('payment "%s" was begun for %s, not for %s', p.payment_id, p.amount, begin_payment.amount);
        END IF;
        status := p.status;
        detail := payment_detail(p) || '{"replayed": true}';
        RETURN;
    END IF;

    IF o.status <> 'PENDING' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('order %s is %s and cannot be paid', o.order_id, o.status);
    END IF;
    IF o.saga IS NOT NULL AND EXISTS (SELECT FROM saga_instance i
                                      WHERE i.order_id = o.order_id AND i.state <> 'RUNNING') THEN
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('the saga of order %s is turning back and cannot be paid', o.order_id);
    END IF;
    SELECT coalesce(sum(t.amount) FILTER (WHERE t.status = 'COMPLETED'), 0),
           coalesce(sum(t.amount) FILTER (WHERE t.status = 'PENDING'), 0),
           coalesce(max(t.attempt), 0)
    INTO paid, pending, attempts
    FROM payment t WHERE t.order_id = o.order_id;

    p.amount := coalesce(begin_payment.amount, o.final_total_amount - paid - pending);
    -- What is PENDING may have been taken already; to begin it again would take it twice.
    IF p.amount > o.final_total_amount - paid - pending OR p.amount = 0 AND o.final_total_amount > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF011',
            MESSAGE = format('order %s costs %s %s, of which %s are paid and %s are pending, so it cannot be paid %s more',
                             o.order_id, o.final_total_amount, o.currency, paid, pending, p.amount);
    END IF;
    IF p.amount < 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF011',
            MESSAGE = format('amount of a payment must be positive, not %s', p.amount);
    END IF;

    p.payment_id := coalesce(begin_payment.payment_id, generated_id::text);
    p.status := 'PENDING';
    p.attempt := attempts + 1;
    p.due_at := now() + current_setting('holdfast.payment_timeout')::interval;
    p := write_payment(o, p, 'begin_payment', true);
    PERFORM touch_order(o.order_id);
    begin_payment.payment_id := p.payment_id;
    begin_payment.status := p.status;
    begin_payment.detail := payment_detail(p);
END
$$;
COMMENT ON PROCEDURE holdfast.begin_payment IS
    'Records a payment PENDING, before the payment service is called: commit it, call the service with payment_id as its idempotency key, then complete_payment or fail_payment. amount NULL: all of the order that is neither paid nor pending; an order may be paid in any number of payments. payment_id NULL: one is made. The same payment_id again changes nothing and reports the payment as it is now, with detail.replayed. HF008 order not PENDING, HF011 more than the order still costs, HF006 and HF024 payment_id of another amount or order.';

CREATE PROCEDURE holdfast.complete_payment(
    payment_id text, transaction_key text DEFAULT NULL, card_type text DEFAULT NULL,
    INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    o orders := lock_order_of_payment(payment_id);
    p payment := payment_of(o, payment_id);
    outcome record;
BEGIN
    IF p.status = 'PENDING' THEN
        p.transaction_key := transaction_key;
        p.card_type := card_type;
        outcome := settle_payment(o, p, p.amount, 'complete_payment', true);
        p := outcome.settled;
        IF outcome.pays_order THEN
            PERFORM orders_paid(ARRAY[o.order_id], ARRAY[p.payment_id], 'complete_payment');
            -- A saga that takes stock last may have found none, and then the money goes back.
            p := payment_of(o, payment_id);
        END IF;
        detail := '{}';
    ELSIF p.status = 'FAILED' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('payment "%s" is FAILED and cannot be completed', p.payment_id),
            HINT = 'If the money was taken after all, a payment-completed event records it.';
    ELSE
        IF p.transaction_key <> transaction_key THEN
            RAISE EXCEPTION USING ERRCODE = 'HF006',
                MESSAGE = format('payment "%s" was completed by transaction "%s", not by "%s"',
                                 p.payment_id, p.transaction_key, transaction_key);
        END IF;
        detail := '{"replayed": true}';
    END IF;
    status := p.status;
    detail := payment_detail(p) || detail;
END
$$;
COMMENT ON PROCEDURE holdfast.complete_payment IS
    'PENDING -> COMPLETED: the money was taken. When its COMPLETED payments add up to what it costs the order is COMPLETED, or its saga goes on. When the order has ended meanwhile, or was paid otherwise, the answer is REFUND_PENDING with detail.reason, and refund-requested is published instead of payment-completed. A second call changes nothing and says so in detail.replayed; HF006 when it names another transaction, which is money taken twice.';

CREATE PROCEDURE holdfast.fail_payment(
    payment_id text, reason text DEFAULT NULL, transaction_key text DEFAULT NULL, card_type text DEFAULT NULL,
    retryable boolean DEFAULT true, INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    o orders := lock_order_of_payment(payment_id);
    p payment := payment_of(o, payment_id);
BEGIN
    IF p.status = 'PENDING' THEN
        p.reason := coalesce(reason, 'PAYMENT_FAILED');
        p.transaction_key := transaction_key;
        p.card_type := card_type;
        IF decline_payment(o, p, 'fail_payment', coalesce(retryable, true), true) THEN
            PERFORM end_orders(ARRAY[o.order_id], ARRAY['PAYMENT'], ARRAY[p.reason],
                               ARRAY[format('payment "%s" failed', p.payment_id)], 'FAILED', 'fail_payment', true);
        END IF;
        detail := '{}';
    ELSIF p.status = 'FAILED' THEN
        detail := '{"replayed": true}';
    ELSE
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('payment "%s" is %s and cannot be failed', p.payment_id, p.status);
    END IF;
    status := 'FAILED';
    detail := payment_detail(p) || detail;
END
$$;
COMMENT ON PROCEDURE holdfast.fail_payment IS
    'PENDING -> FAILED: the money was not taken. The order keeps what it holds and can be paid by another begin_payment until its hold ends; with retryable false it fails as well, unless another payment of it is PENDING or COMPLETED. A second call changes nothing and reports the first reason.';

CREATE PROCEDURE holdfast.refund_payment(
    payment_id text, reason text DEFAULT NULL, refunded boolean DEFAULT false,
    INOUT status text DEFAULT NULL, INOUT detail jsonb DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    o orders := lock_order_of_payment(payment_id);
    p payment := payment_of(o, payment_id);
BEGIN
    detail := '{}';
    IF refunded AND p.status = 'REFUND_PENDING' THEN
        p.status := 'REFUNDED';
        p := write_payment(o, p, 'refund_payment', true);
        PERFORM touch_order(o.order_id);
    ELSIF NOT coalesce(refunded, false) AND p.status = 'COMPLETED' THEN
        p.status := 'REFUND_PENDING';
        p.reason := coalesce(reason, 'REQUESTED');
        p := write_payment(o, p, 'refund_payment', true);
        PERFORM touch_order(o.order_id);
    ELSIF p.status = 'REFUNDED' OR p.status = 'REFUND_PENDING' AND NOT coalesce(refunded, false) THEN
        detail := '{"replayed": true}';
    ELSE
        RAISE EXCEPTION USING ERRCODE = 'HF008',
            MESSAGE = format('payment "%s" is %s and %s', p.payment_id, p.status,
                             CASE WHEN refunded THEN 'no refund of it is pending' ELSE 'cannot be refunded' END);
    END IF;
    status := p.status;
    detail := payment_detail(p) || detail;
END
$$;
COMMENT ON PROCEDURE holdfast.refund_payment IS
    'Two steps, each once. COMPLETED -> REFUND_PENDING: the money has to go back; publishes refund-requested with idempotencyKey refund-<payment id>, under which the payment service (or whoever calls it after the commit) refunds. With refunded => true, REFUND_PENDING -> REFUNDED: the money is back. A step that was taken before changes nothing and says so in detail.replayed. The order stays what it is: cancel_order refunds what was paid of a PENDING one.';

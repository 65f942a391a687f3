-- Payments that an application begins, completes, fails and refunds: every transition with its history and
-- its events, every guard.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 9520000) AS base \gset
CALL holdfast.set_product(9521, 'seat', 1000, on_hand => 100);
CALL holdfast.set_product(9522, 'leaflet', 0, on_hand => 100);

CREATE PROCEDURE pg_temp.place(product_id bigint DEFAULT 9521, quantity int DEFAULT 2) LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint;
    status text;
    detail jsonb;
BEGIN
    CALL holdfast.place_order_item(7, product_id, quantity, NULL, NULL, order_id, status, detail);
END
$$;
-- One line per order, and one per payment with what it has been through.
CREATE VIEW pg_temp.state AS
    SELECT o.order_id - 9520000 AS n, o.status, o.failure_step AS step, o.failure_reason AS reason,
           (SELECT string_agg(r.state, ',') FROM holdfast.reservation r WHERE r.order_id = o.order_id) AS held,
           (SELECT string_agg(h.cause, ', ' ORDER BY h.at) FROM holdfast.order_history h WHERE h.order_id = o.order_id) AS history,
           (SELECT string_agg(e.type, ', ' ORDER BY e.id) FROM holdfast.outbox e
            WHERE e.aggregateid = o.order_id::text AND e.aggregatetype NOT IN ('order-created', 'inventory-reserved')) AS events
    FROM holdfast.orders o WHERE o.order_id BETWEEN 9520001 AND 9520999 ORDER BY 1;
CREATE VIEW pg_temp.payments AS
    SELECT p.order_id - 9520000 AS n, p.attempt, CASE WHEN p.payment_id ~ '^y' THEN p.payment_id ELSE 'made' END AS payment_id,
           p.amount, p.status, p.transaction_key AS tx, p.card_type AS card, p.reason,
           (SELECT string_agg(h.cause || ' -> ' || h.status, ', ' ORDER BY h.at)
            FROM holdfast.payment_history h WHERE h.payment_id = p.payment_id) AS history,
           (SELECT string_agg(e.payload->>'status', ', ' ORDER BY e.id) FROM holdfast.outbox e
            WHERE e.aggregateid = p.payment_id AND e.aggregatetype = 'payment-event') AS told
    FROM holdfast.payment p WHERE p.order_id BETWEEN 9520001 AND 9520999 ORDER BY 1, p.attempt, p.payment_id;
CREATE FUNCTION pg_temp.events(order_id bigint) RETURNS TABLE (topic text, key text, type text, payload jsonb)
LANGUAGE sql AS $$
    SELECT aggregatetype, aggregateid, type, payload::jsonb - '{eventId,occurredAt,schemaVersion,orderId,eventType}'::text[]
    FROM holdfast.outbox
    WHERE payload->>'orderId' = order_id::text
      AND aggregatetype IN ('payment-completed', 'payment-failed', 'payment-event', 'refund-requested')
    ORDER BY id
$$;
CREATE FUNCTION pg_temp.told(topic text, order_id bigint, payment_id text, amount bigint, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT holdfast.on_%s($1, $2, $3)', replace(topic, '-', '_'))
    USING order_id::text, jsonb_build_object('orderId', order_id, 'paymentId', payment_id, 'amount', amount) || more, '{}'::jsonb;
END
$$;
-- Every event that was published about an order's payments, once more, as it comes back from Kafka.
CREATE FUNCTION pg_temp.come_back(order_id bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        SELECT CASE o.aggregatetype
                   WHEN 'payment-completed' THEN holdfast.on_payment_completed(o.aggregateid, o.payload::jsonb, '{}')::text
                   ELSE holdfast.on_payment_failed(o.aggregateid, o.payload::jsonb, '{}')::text END
        FROM holdfast.outbox o
        WHERE o.aggregateid = order_id::text AND o.aggregatetype IN ('payment-completed', 'payment-failed') OFFSET 0) t
$$;

-- 1: begun, completed; each call twice.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520001, payment_id => 'y1');
CALL holdfast.begin_payment(9520001, payment_id => 'y1');
CALL holdfast.begin_payment(9520001, 2000, 'y1');
SELECT * FROM pg_temp.events(9520001);
CALL holdfast.complete_payment('y1', 'tx-1', 'DEBIT');
CALL holdfast.complete_payment('y1', 'tx-1', 'DEBIT');
CALL holdfast.complete_payment('y1');
CALL holdfast.begin_payment(9520001, 2000, 'y1');
SELECT * FROM pg_temp.events(9520001);
-- Another transaction for the same payment is money taken twice.
CALL holdfast.complete_payment('y1', 'tx-2');
\echo :SQLSTATE
CALL holdfast.fail_payment('y1', 'LATE');
\echo :SQLSTATE
CALL holdfast.begin_payment(9520001);
\echo :SQLSTATE

-- 2: an attempt that fails leaves the order to the next one; ids are made when none is given.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520002) \gset
SELECT :'payment_id'::uuid IS NOT NULL AS made, :'status' AS status, :'detail'::jsonb AS detail;
CALL holdfast.fail_payment(:'payment_id', 'LIMIT', 'tx-2', 'CREDIT');
CALL holdfast.fail_payment(:'payment_id', 'OTHER');
CALL holdfast.begin_payment(9520002, payment_id => 'y2');
CALL holdfast.complete_payment('y2', 'tx-2b');
SELECT topic, key = :'payment_id' AS first_payment, type, payload - 'paymentId' AS payload FROM pg_temp.events(9520002);

-- 3: one payment per seat; the last one completes the order.
CALL pg_temp.place(quantity => 3);
CALL holdfast.begin_payment(9520003, 1000, 'y3a');
CALL holdfast.begin_payment(9520003, 1000, 'y3b');
CALL holdfast.begin_payment(9520003, 1001, 'y3c');
\echo :SQLSTATE
CALL holdfast.begin_payment(9520003, payment_id => 'y3c');
CALL holdfast.begin_payment(9520003);
\echo :SQLSTATE
CALL holdfast.complete_payment('y3a');
CALL holdfast.fail_payment('y3b', 'LIMIT');
CALL holdfast.complete_payment('y3b');
\echo :SQLSTATE
CALL holdfast.complete_payment('y3c');
CALL holdfast.begin_payment(9520003, payment_id => 'y3d');
CALL holdfast.complete_payment('y3d');

-- 4: given up: the order fails with its last payment, and not before.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520004, 500, 'y4a');
CALL holdfast.begin_payment(9520004, 1500, 'y4b');
CALL holdfast.fail_payment('y4a', 'LIMIT', retryable => false);
CALL holdfast.fail_payment('y4b', 'FRAUD', retryable => false);
SELECT topic, payload->>'reason' AS reason, payload->>'retryable' AS retryable FROM pg_temp.events(9520004) WHERE topic = 'payment-failed';

-- 5, 6, 7: too late. What was taken goes back; what was not is only recorded.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520005, 500, 'y5a');
CALL holdfast.begin_payment(9520005, 600, 'y5b');
CALL holdfast.begin_payment(9520005, 900, 'y5c');
CALL holdfast.complete_payment('y5a');
CALL holdfast.cancel_order(9520005);
CALL holdfast.complete_payment('y5b', 'tx-5b');
CALL holdfast.complete_payment('y5b', 'tx-5b');
CALL holdfast.fail_payment('y5c', retryable => false);
CALL holdfast.begin_payment(9520005);
\echo :SQLSTATE
SELECT * FROM pg_temp.events(9520005);
CALL pg_temp.place();
CALL holdfast.begin_payment(9520006, 500, 'y6');
CALL holdfast.complete_payment('y6');
UPDATE holdfast.orders SET expires_at = now() - interval '1 second' WHERE order_id = 9520006;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 second' WHERE order_id = 9520006;
SELECT holdfast.expire_holds() AS expired;
CALL pg_temp.place();
CALL holdfast.begin_payment(9520007, payment_id => 'y7');
CALL holdfast.complete_order(9520007);
CALL holdfast.complete_payment('y7');

-- 8: the money goes back in two steps.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520008, payment_id => 'y8');
CALL holdfast.refund_payment('y8');
\echo :SQLSTATE
CALL holdfast.complete_payment('y8', 'tx-8');
CALL holdfast.refund_payment('y8', refunded => true);
\echo :SQLSTATE
CALL holdfast.refund_payment('y8', 'damaged');
CALL holdfast.refund_payment('y8', 'other');
CALL holdfast.refund_payment('y8', refunded => true);
CALL holdfast.refund_payment('y8', refunded => true);
CALL holdfast.refund_payment('y8');
CALL holdfast.complete_payment('y8', 'tx-8');
CALL holdfast.fail_payment('y8');
\echo :SQLSTATE
CALL holdfast.refund_payment('y4a');
\echo :SQLSTATE
SELECT * FROM pg_temp.events(9520008);
-- Of an order that is not paid in full yet: it can be paid again.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520009, 1500, 'y9a');
CALL holdfast.complete_payment('y9a');
CALL holdfast.refund_payment('y9a');
CALL holdfast.begin_payment(9520009, payment_id => 'y9b');
CALL holdfast.complete_payment('y9b');

-- 10: costs nothing.
CALL pg_temp.place(9522);
CALL holdfast.begin_payment(9520010, payment_id => 'y10');
CALL holdfast.complete_payment('y10');

-- What comes back from Kafka, our own, changes nothing: neither payments nor orders nor the outbox.
SELECT count(*) AS events_before FROM holdfast.outbox \gset
SELECT sum(pg_temp.come_back(9520000 + n)) AS came_back FROM generate_series(1, 10) n;
SELECT count(*) - :events_before AS more_events FROM holdfast.outbox;
SELECT * FROM pg_temp.payments;
SELECT * FROM pg_temp.state;

-- Begun here, told by the payment service: 11 completed, 12 another amount, 13 failed, then paid after all,
-- 14 given up, 15 a payment that nobody began pays the rest.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520011, 1200, 'y11a');
CALL holdfast.begin_payment(9520011, payment_id => 'y11b');
SELECT pg_temp.told('payment-completed', 9520011, 'y11a', 1200, '{"transactionKey": "tx-11", "cardType": "DEBIT"}');
SELECT pg_temp.told('payment-completed', 9520011, 'y11a', 1200, '{"transactionKey": "tx-11"}');
CALL holdfast.complete_payment('y11a', 'tx-11');
CALL holdfast.complete_payment('y11b');
CALL pg_temp.place();
CALL holdfast.begin_payment(9520012, 1200, 'y12');
SELECT pg_temp.told('payment-completed', 9520012, 'y12', 2000);
\echo :SQLSTATE
CALL pg_temp.place();
CALL holdfast.begin_payment(9520013, payment_id => 'y13');
SELECT pg_temp.told('payment-failed', 9520013, 'y13', 2000, '{"reason": "TIMEOUT"}');
SELECT status AS still FROM holdfast.orders WHERE order_id = 9520013;
SELECT pg_temp.told('payment-completed', 9520013, 'y13', 2000);
CALL pg_temp.place();
CALL holdfast.begin_payment(9520014, payment_id => 'y14');
SELECT pg_temp.told('payment-failed', 9520014, 'y14', 2000, '{"reason": "FRAUD", "retryable": false}');
CALL pg_temp.place();
CALL holdfast.begin_payment(9520015, 800, 'y15a');
CALL holdfast.complete_payment('y15a');
CALL holdfast.begin_payment(9520015, 1200, 'y15b');
SELECT pg_temp.told('payment-completed', 9520015, 'y15c', 100);
\echo :SQLSTATE
SELECT pg_temp.told('payment-completed', 9520015, 'y15c', 1200);
CALL holdfast.complete_payment('y15b');
-- Nobody began a payment, and the service says that it will try again.
CALL pg_temp.place();
SELECT pg_temp.told('payment-failed', 9520016, 'y16', 2000, '{"retryable": true}');
SELECT pg_temp.told('payment-failed', 9520016, 'y16b', 2000, '{"retryable": "yes"}');
\echo :SQLSTATE
SELECT pg_temp.told('payment-failed', 9520016, 'y16b', 2000, '{"reason": "LIMIT"}');
SELECT * FROM pg_temp.payments WHERE n > 10;
SELECT * FROM pg_temp.state WHERE n > 10;
SELECT aggregatetype, count(*) FROM holdfast.outbox
WHERE aggregateid BETWEEN '9520011' AND '9520016' AND aggregatetype LIKE 'payment-%' GROUP BY 1 ORDER BY 1;

-- payment-processed is another name for payment-completed: the same handler takes it.
CALL pg_temp.place();
SELECT next_offset FROM holdfast.inbox_claim('payments', 'payment-processed', 0, 0, 'here');
SELECT outcome FROM holdfast.inbox_apply('payments', 'holdfast.on_payment_completed(text,jsonb,jsonb)', 'payment-processed', 0, 1, 0, 1, '{0}', '{9520017}',
    '{"{\"eventType\":\"PaymentProcessed\",\"orderId\":9520017,\"paymentId\":\"y17\",\"amount\":2000}"}', NULL, '{NULL}');
SELECT n, status, history FROM pg_temp.state WHERE n = 17;

-- What is overdue is listed, until it has an outcome.
CALL pg_temp.place();
CALL holdfast.begin_payment(9520018, 500, 'y18a');
SET holdfast.payment_timeout = 0;
CALL holdfast.begin_payment(9520018, 500, 'y18b');
RESET holdfast.payment_timeout;
CALL holdfast.begin_payment(9520018, 500, 'y18c');
CALL holdfast.fail_payment('y18c');
CALL holdfast.cancel_order(9520018);
SELECT payment_id, order_id - 9520000 AS n, user_id, amount, currency, attempt, attempts, age >= '0' AS age, due_at = begun_at AS due_at_once, order_status,
       order_expires_at > now() AS still_held
FROM holdfast.pending_payments WHERE order_id BETWEEN 9520001 AND 9520999;
SELECT due_at - created_at AS timeout FROM holdfast.payment WHERE payment_id = 'y18a';
CALL holdfast.fail_payment('y18b');
SELECT count(*) FROM holdfast.pending_payments WHERE order_id BETWEEN 9520001 AND 9520999;

-- Where an order is looked at.
SELECT jsonb_path_query_array(holdfast.order_status(9520008)->'payments', '$[*].history[*].status') AS reached,
       holdfast.order_status(9520008) #- '{payments,0,history}' -> 'payments' AS payments;
SELECT source, what, topic, detail - 'eventId' AS detail FROM holdfast.trace(9520008)
WHERE source = 'payment' OR topic LIKE 'payment%' OR topic LIKE 'refund%';

-- The events carry the trace of the session that placed the order.
SET holdfast.trace_id = 'trace-19';
SET holdfast.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
CALL pg_temp.place();
RESET holdfast.trace_id;
RESET holdfast.traceparent;
CALL holdfast.begin_payment(9520019, payment_id => 'y19');
CALL holdfast.complete_payment('y19');
SELECT type, payload->>'traceId' AS trace, headers FROM holdfast.outbox
WHERE payload->>'orderId' = '9520019' AND aggregatetype LIKE 'payment-%' ORDER BY id;

-- Inside a transaction that rolls back, nothing happened.
CALL pg_temp.place();
BEGIN;
CALL holdfast.begin_payment(9520020, payment_id => 'y20');
ROLLBACK;
SELECT count(*) FROM holdfast.payment WHERE payment_id = 'y20';

-- Nulls, unknown and wrong.
CALL holdfast.begin_payment(NULL);
\echo :SQLSTATE
CALL holdfast.begin_payment(9519999);
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, 2001);
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, 0);
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, -1);
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, payment_id => '');
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, payment_id => repeat('x', 201));
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, payment_id => 'y1');
\echo :SQLSTATE
CALL holdfast.begin_payment(9520020, 1500, 'y20');
CALL holdfast.begin_payment(9520020, 1501, 'y20');
\echo :SQLSTATE
CALL holdfast.complete_payment(NULL);
\echo :SQLSTATE
CALL holdfast.complete_payment('unknown');
\echo :SQLSTATE
CALL holdfast.fail_payment(NULL);
\echo :SQLSTATE
CALL holdfast.fail_payment('unknown');
\echo :SQLSTATE
CALL holdfast.refund_payment(NULL);
\echo :SQLSTATE
CALL holdfast.refund_payment('unknown');
\echo :SQLSTATE
-- A refused order never took anything.
CALL pg_temp.place(quantity => 1000);
CALL holdfast.begin_payment(9520021);
\echo :SQLSTATE

-- What was given back at the buyer's wish was paid all the same: money that comes once more goes back too,
-- also in part.
CALL pg_temp.place();
SELECT max(order_id) AS returned FROM holdfast.orders WHERE order_id BETWEEN 9520001 AND 9520999 \gset
SELECT pg_temp.told('payment-completed', :returned, 'y-returned', 2000);
CALL holdfast.refund_payment('y-returned', 'RETURNED');
SELECT pg_temp.told('payment-completed', :returned, 'y-again', 2000);
CALL holdfast.refund_payment('y-returned', refunded => true);
SELECT pg_temp.told('payment-completed', :returned, 'y-and-again', 2000);
CALL pg_temp.place();
SELECT max(order_id) AS returned_in_part FROM holdfast.orders WHERE order_id BETWEEN 9520001 AND 9520999 \gset
CALL holdfast.begin_payment(:returned_in_part, 500, 'y-part');
CALL holdfast.complete_payment('y-part');
CALL holdfast.complete_order(:returned_in_part);
CALL holdfast.refund_payment('y-part', 'RETURNED');
SELECT pg_temp.told('payment-completed', :returned_in_part, 'y-rest', 1500);
SELECT payment_id, amount, status, reason FROM pg_temp.payments
WHERE n + 9520000 IN (:returned, :returned_in_part) ORDER BY n, payment_id;

-- One event per topic and state that a payment has reached.
SELECT count(*) AS wrong
FROM holdfast.payment_history h
     CROSS JOIN LATERAL (SELECT count(*) FROM holdfast.outbox e WHERE e.aggregatetype = 'payment-event'
                             AND e.aggregateid = h.payment_id AND e.payload->>'status' = h.status) AS e(told)
WHERE h.order_id BETWEEN 9520001 AND 9520999 AND e.told <> CASE h.status WHEN 'PENDING' THEN 0 ELSE 1 END;
SELECT * FROM holdfast.reconcile() WHERE product_id IN (9521, 9522);
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;

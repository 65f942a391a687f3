-- What comes back from Kafka: early, late, twice, and never harmful.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 3000000) AS base \gset

CALL holdfast.set_product(3001, 'a', 1000, on_hand => 100);

CREATE PROCEDURE pg_temp.place(quantity int DEFAULT 2) LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint;
    status text;
    detail jsonb;
BEGIN
    CALL holdfast.place_order_item(7, 3001, quantity, NULL, NULL, order_id, status, detail);
END
$$;
CREATE FUNCTION pg_temp.failed(order_id bigint) RETURNS void LANGUAGE sql AS $$
    SELECT holdfast.on_order_failed(order_id::text, jsonb_build_object(
        'eventId', 'f-' || order_id, 'orderId', order_id, 'failedStep', 'SHIPPING', 'reason', 'NO_ROUTE',
        'message', 'no truck'), '{}')
$$;
CREATE FUNCTION pg_temp.paid(order_id bigint, payment_id text, amount bigint DEFAULT 2000) RETURNS void LANGUAGE sql AS $$
    SELECT holdfast.on_payment_completed(order_id::text, jsonb_build_object(
        'orderId', order_id, 'paymentId', payment_id, 'amount', amount, 'transactionKey', 'tx-' || payment_id,
        'cardType', 'DEBIT', 'userId', 7), '{}')
$$;
CREATE FUNCTION pg_temp.declined(order_id bigint, payment_id text, reason text DEFAULT 'LIMIT') RETURNS void LANGUAGE sql AS $$
    SELECT holdfast.on_payment_failed(order_id::text, jsonb_build_object(
        'orderId', order_id, 'paymentId', payment_id, 'amount', 2000, 'userId', 7, 'reason', reason), '{}')
$$;
-- One line per order: state, what it holds, payments, history, and how often it was told about.
CREATE VIEW pg_temp.state AS
    SELECT o.order_id - 3000000 AS n, o.status, o.failure_step AS step, o.failure_reason AS reason,
           (SELECT string_agg(r.state, ',') FROM holdfast.reservation r WHERE r.order_id = o.order_id) AS held,
           (SELECT string_agg(p.payment_id || ' ' || p.status || coalesce(' ' || p.reason, ''), ', ' ORDER BY p.payment_id)
            FROM holdfast.payment p WHERE p.order_id = o.order_id) AS payments,
           (SELECT string_agg(h.cause, ', ' ORDER BY h.at) FROM holdfast.order_history h WHERE h.order_id = o.order_id) AS history,
           (SELECT string_agg(e.type, ', ' ORDER BY e.id) FROM holdfast.outbox e
            WHERE e.aggregateid = o.order_id::text AND e.aggregatetype NOT IN ('order-created', 'inventory-reserved')) AS events
    FROM holdfast.orders o WHERE o.order_id BETWEEN 3000001 AND 3000999 ORDER BY 1;
CREATE VIEW pg_temp.stock AS SELECT on_hand, reserved FROM holdfast.stock WHERE product_id = 3001;

-- order-failed: 1 once, 2 twice, 3 after our own, 4 after completion, 5 after cancellation, 6 after expiry.
CALL pg_temp.place();
SELECT pg_temp.failed(3000001);
CALL pg_temp.place();
SELECT pg_temp.failed(3000002);
SELECT pg_temp.failed(3000002);
CALL pg_temp.place();
CALL holdfast.fail_order(3000003);
SELECT pg_temp.failed(3000003);
CALL pg_temp.place();
SELECT pg_temp.paid(3000004, 'p4');
SELECT pg_temp.failed(3000004);
CALL pg_temp.place();
CALL holdfast.cancel_order(3000005);
SELECT pg_temp.failed(3000005);
CALL pg_temp.place();
UPDATE holdfast.orders SET expires_at = now() - interval '1 second' WHERE order_id = 3000006;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 second' WHERE order_id = 3000006;
SELECT holdfast.expire_holds() AS expired;
SELECT pg_temp.failed(3000006);
-- 7: refused for want of stock; its own order-failed comes back and gives nothing back.
CALL pg_temp.place(1000);
SELECT pg_temp.failed(3000007);
SELECT * FROM pg_temp.state;
SELECT * FROM pg_temp.stock;

-- Before its order: a tombstone, which the order then meets.
SELECT holdfast.next_order_id() - 3000000 AS chosen;
SELECT pg_temp.failed(3000008);
SELECT pg_temp.failed(3000008);
SELECT order_id - 3000000 AS n, step, reason, message, event_id FROM holdfast.order_tombstone WHERE order_id = 3000008;
CALL holdfast.place_order(7, '[{"productId":3001,"quantity":2}]', NULL, '{"orderId": 3000008}') \gset
SELECT :'status' AS status;
SELECT pg_temp.failed(3000008);
SELECT * FROM pg_temp.state WHERE n = 8;
SELECT * FROM pg_temp.stock;
-- A payment for it is refunded.
SELECT pg_temp.paid(3000008, 'p8');

-- payment-completed: 9 once, 10 twice, 11 a second payment, 12 after failure, 13 after cancellation,
-- 14 after expiry, 15 after complete_order.
CALL pg_temp.place();
SELECT pg_temp.paid(3000009, 'p9');
CALL pg_temp.place();
SELECT pg_temp.paid(3000010, 'p10');
SELECT pg_temp.paid(3000010, 'p10');
CALL pg_temp.place();
SELECT pg_temp.paid(3000011, 'p11');
SELECT pg_temp.paid(3000011, 'p11-again');
SELECT pg_temp.paid(3000011, 'p11-again');
CALL pg_temp.place();
CALL holdfast.fail_order(3000012, 'TIMEOUT');
SELECT pg_temp.paid(3000012, 'p12');
SELECT pg_temp.paid(3000012, 'p12');
CALL pg_temp.place();
CALL holdfast.cancel_order(3000013);
SELECT pg_temp.paid(3000013, 'p13', 1999);
CALL pg_temp.place();
UPDATE holdfast.orders SET expires_at = now() - interval '1 second' WHERE order_id = 3000014;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 second' WHERE order_id = 3000014;
SELECT holdfast.expire_holds() AS expired;
SELECT pg_temp.paid(3000014, 'p14');
CALL pg_temp.place();
CALL holdfast.complete_order(3000015);
SELECT pg_temp.paid(3000015, 'p15');
SELECT pg_temp.paid(3000015, 'p15');
SELECT * FROM pg_temp.state WHERE n >= 8;
SELECT payload::jsonb - '{eventId,occurredAt}'::text[] AS refund FROM holdfast.outbox
WHERE aggregatetype = 'refund-requested' AND aggregateid BETWEEN '3000000' AND '3000999' ORDER BY id;
SELECT payment_id, order_id - 3000000 AS n, user_id, amount, status, transaction_key, card_type FROM holdfast.payment
WHERE payment_id = 'p9';

-- payment-failed: 16 once, 17 twice, 18 after completion, 19 then completed with the same id after all,
-- 20 another payment after a success, 21 after cancellation.
CALL pg_temp.place();
SELECT pg_temp.declined(3000016, 'p16');
CALL pg_temp.place();
SELECT pg_temp.declined(3000017, 'p17');
SELECT pg_temp.declined(3000017, 'p17', 'OTHER');
CALL pg_temp.place();
SELECT pg_temp.paid(3000018, 'p18');
SELECT pg_temp.declined(3000018, 'p18');
CALL pg_temp.place();
SELECT pg_temp.declined(3000019, 'p19');
SELECT pg_temp.paid(3000019, 'p19');
CALL pg_temp.place();
SELECT pg_temp.paid(3000020, 'p20');
SELECT pg_temp.declined(3000020, 'p20-other');
CALL pg_temp.place();
CALL holdfast.cancel_order(3000021);
SELECT pg_temp.declined(3000021, 'p21');
-- Its own order-failed comes back.
SELECT pg_temp.failed(3000016);
SELECT * FROM pg_temp.state WHERE n >= 16;
SELECT payload::jsonb - '{eventId,occurredAt}'::text[] AS order_failed FROM holdfast.outbox
WHERE aggregatetype = 'order-failed' AND aggregateid = '3000016';

-- Batches do the same.
CALL pg_temp.place();
CALL pg_temp.place();
CALL pg_temp.place();
CALL pg_temp.place();
SELECT holdfast.on_order_failed_batch(
    '{b,a,a,c}',
    ARRAY['{"orderId":3000023,"reason":"second"}', '{"orderId":3000022,"reason":"first"}', '{"orderId":3000022,"reason":"again"}',
          '{"orderId":3000099,"failedStep":"EARLY","eventId":"e99"}', '{"orderId":3000004}']::jsonb[],
    ARRAY['{}', '{}', '{}', '{"id":"header"}', '{}']::jsonb[]);
SELECT holdfast.on_payment_failed_batch(
    '{b,a}',
    ARRAY['{"orderId":3000025,"paymentId":"p25"}', '{"orderId":3000024,"paymentId":24,"amount":"2000","reason":"X"}']::jsonb[],
    ARRAY['{}', '{}']::jsonb[]);
SELECT holdfast.on_order_failed_batch('{}', '{}', '{}');
SELECT holdfast.on_payment_failed_batch('{}', '{}', '{}');
SELECT * FROM pg_temp.state WHERE n >= 22 OR n = 4;
SELECT order_id - 3000000 AS n, step, reason, event_id FROM holdfast.order_tombstone WHERE order_id = 3000099;

-- What is no event is refused, and becomes a dead letter where it came from.
CALL pg_temp.place();
SELECT holdfast.on_order_failed('k', NULL, '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '[]', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{"orderId": null}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{"orderId": "x"}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{"orderId": 1.5}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{"orderId": -1}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{"orderId": 99999999999999999999}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_order_failed('k', '{"orderId": 3000026, "schemaVersion": 2}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026, "paymentId": ""}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026, "paymentId": "x"}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026, "paymentId": "x", "amount": 20.5}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026, "paymentId": "x", "amount": -1}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026, "paymentId": "x", "amount": 2001}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 3000026, "paymentId": "p9", "amount": 2000}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_completed('k', '{"orderId": 2999999, "paymentId": "x", "amount": 2000}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_failed('k', '{"orderId": 2999999, "paymentId": "x"}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_failed('k', '{"orderId": 3000026, "paymentId": "p9"}', '{}');
\echo :SQLSTATE
SELECT holdfast.on_payment_failed('k', '{"orderId": 3000026}', '{}');
\echo :SQLSTATE
-- The right amount still works after the wrong one.
SELECT pg_temp.paid(3000026, 'x');
SELECT * FROM pg_temp.state WHERE n = 26;

-- Each state of a payment was told to notifiers once; what came in was not published again.
SELECT h.status, count(DISTINCT h.payment_id) AS payments, count(*) AS changes,
       sum((SELECT count(*) FROM holdfast.outbox e WHERE e.aggregatetype = 'payment-event'
                AND e.aggregateid = h.payment_id AND e.payload->>'status' = h.status)) AS told
FROM holdfast.payment_history h WHERE h.order_id BETWEEN 3000001 AND 3000999 GROUP BY 1 ORDER BY 1;
SELECT count(*) AS published_again FROM holdfast.outbox
WHERE aggregatetype IN ('payment-completed', 'payment-failed') AND aggregateid BETWEEN '3000001' AND '3000999';

SELECT * FROM pg_temp.stock;
SELECT * FROM holdfast.reconcile() WHERE product_id = 3001;
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;

-- What happens to an order after it was placed: every transition with its events, every guard.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- Order ids of our own, so that they can be shown.
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 2000000) AS base \gset

CALL holdfast.set_product(2001, 'a', 100, on_hand => 100);
CALL holdfast.set_product(2002, 'b', 250, on_hand => 100);

CREATE FUNCTION pg_temp.events(order_id bigint) RETURNS TABLE (topic text, key text, type text, payload jsonb)
    LANGUAGE sql AS $$
    SELECT aggregatetype, aggregateid, type,
           payload::jsonb - '{eventId,eventType,occurredAt,schemaVersion,orderId}'::text[]
    FROM holdfast.outbox
    WHERE payload->>'orderId' = order_id::text AND aggregatetype NOT IN ('order-created', 'inventory-reserved')
          AND payload->>'cause' IS DISTINCT FROM 'RESERVE'
    ORDER BY id
$$;
CREATE VIEW pg_temp.state AS
    SELECT o.order_id, o.status, o.failure_step, o.failure_reason, o.failure_message,
           (SELECT string_agg(r.product_id || ' x ' || r.quantity || ' ' || r.state, ', ' ORDER BY r.product_id)
            FROM holdfast.reservation r WHERE r.order_id = o.order_id) AS reservations,
           (SELECT string_agg(h.cause || ' -> ' || h.status, ', ' ORDER BY h.at)
            FROM holdfast.order_history h WHERE h.order_id = o.order_id) AS history
    FROM holdfast.orders o WHERE o.order_id BETWEEN 2000000 AND 2000099 ORDER BY 1;
CREATE VIEW pg_temp.stock AS
    SELECT product_id, on_hand, reserved, version FROM holdfast.stock WHERE product_id IN (2001, 2002) ORDER BY 1;

-- Complete: sold, and the stock row is not touched.
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":3},{"productId":2002,"quantity":1}]') \gset
SELECT * FROM pg_temp.stock;
CALL holdfast.complete_order(:order_id);
CALL holdfast.complete_order(:order_id);
SELECT * FROM pg_temp.stock;
SELECT * FROM pg_temp.events(:order_id);
CALL holdfast.fail_order(:order_id);
\echo :SQLSTATE
CALL holdfast.cancel_order(:order_id, 'changed my mind');
\echo :SQLSTATE
SELECT * FROM pg_temp.events(:order_id);

-- Fail: released, and told to everyone; the second call reports the first reason.
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":3},{"productId":2002,"quantity":1}]') \gset
CALL holdfast.fail_order(:order_id, 'CARD_DECLINED');
CALL holdfast.fail_order(:order_id, 'OTHER');
SELECT * FROM pg_temp.events(:order_id);
CALL holdfast.complete_order(:order_id);
\echo :SQLSTATE
CALL holdfast.cancel_order(:order_id);
\echo :SQLSTATE

-- Cancel.
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":2}]') \gset
CALL holdfast.cancel_order(:order_id, 'changed my mind');
CALL holdfast.cancel_order(:order_id);
SELECT * FROM pg_temp.events(:order_id);
CALL holdfast.complete_order(:order_id);
\echo :SQLSTATE
CALL holdfast.fail_order(:order_id);
\echo :SQLSTATE

-- The events of an order carry the trace of the session that placed it, not of the one that ends it.
SET holdfast.trace_id = 'placed-by';
SET holdfast.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":2}]') \gset
SET holdfast.trace_id = 'ended-by';
RESET holdfast.traceparent;
CALL holdfast.fail_order(:order_id);
SELECT type, payload->>'traceId' AS trace, headers FROM holdfast.outbox
WHERE payload->>'orderId' = :'order_id' ORDER BY id;
SHOW holdfast.trace_id;
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":2}]') \gset
CALL holdfast.complete_order(:order_id);
RESET holdfast.trace_id;
SELECT type, payload->>'traceId' AS trace, headers FROM holdfast.outbox
WHERE payload->>'orderId' = :'order_id' AND aggregatetype = 'order-events';

-- Inside a transaction that rolls back, nothing happened.
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":5}]') \gset
BEGIN;
CALL holdfast.cancel_order(:order_id);
ROLLBACK;
SELECT status, failure_step, reservations, history FROM pg_temp.state WHERE order_id = :order_id;

-- Holds: extended, expired, and nobody else's business.
CALL holdfast.extend_hold(:order_id, '1 hour') \gset
SELECT o.expires_at = :'expires_at' AS order_extended, r.expires_at = :'expires_at' AS reservation_extended,
       o.expires_at > now() + interval '1 hour' AS counted_from_its_end
FROM holdfast.orders o JOIN holdfast.reservation r USING (order_id) WHERE order_id = :order_id;
SELECT holdfast.expire_holds() AS expired;
CALL holdfast.extend_hold(:order_id, '0');
\echo :SQLSTATE
CALL holdfast.extend_hold(:order_id, '-1 hour');
\echo :SQLSTATE
CALL holdfast.extend_hold(:order_id, NULL);
\echo :SQLSTATE
-- Time passes.
UPDATE holdfast.orders SET expires_at = now() - interval '1 second' WHERE order_id = :order_id;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 second' WHERE order_id = :order_id;
-- Past its time but not swept: still held, so it can be extended, from now on.
CALL holdfast.extend_hold(:order_id, '1 minute') \gset
SELECT :'expires_at'::timestamptz BETWEEN now() + interval '50 seconds' AND now() + interval '1 minute' AS from_now;
UPDATE holdfast.orders SET expires_at = now() - interval '1 second' WHERE order_id = :order_id;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 second' WHERE order_id = :order_id;
SELECT holdfast.expire_holds() AS expired;
SELECT holdfast.expire_holds() AS expired;
SELECT * FROM pg_temp.events(:order_id);
CALL holdfast.extend_hold(:order_id, '1 hour');
\echo :SQLSTATE
CALL holdfast.complete_order(:order_id);
\echo :SQLSTATE
CALL holdfast.cancel_order(:order_id);
\echo :SQLSTATE

-- Many at once: each order has its own events, a product's versions rise one by one.
CALL holdfast.place_order(1, '[{"productId":2002,"quantity":1},{"productId":2001,"quantity":1}]') \gset first_
CALL holdfast.place_order(2, '[{"productId":2001,"quantity":2}]') \gset second_
CALL holdfast.place_order(3, '[{"productId":2002,"quantity":4},{"productId":2001,"quantity":3}]') \gset third_
UPDATE holdfast.orders SET expires_at = now() - interval '1 second' * (2000020 - order_id)
WHERE order_id BETWEEN :first_order_id AND :third_order_id;
UPDATE holdfast.reservation SET expires_at = now() - interval '1 second' * (2000020 - order_id)
WHERE order_id BETWEEN :first_order_id AND :third_order_id;
SELECT * FROM pg_temp.stock;
-- At most two reservations, the oldest: one order.
SELECT holdfast.expire_holds(2) AS expired;
SELECT holdfast.expire_holds() AS expired;
SELECT * FROM pg_temp.stock;
SELECT payload->>'productId' AS product, payload->>'orderId' AS "order", payload->>'onHand' AS on_hand,
       payload->>'reserved' AS reserved, payload->>'available' AS available
FROM holdfast.outbox
WHERE aggregatetype = 'inventory-updated' AND payload->>'orderId' = :'third_order_id' AND payload->>'cause' = 'EXPIRE'
ORDER BY id;
SELECT aggregateid AS product, count(*) AS events, count(DISTINCT payload->>'version') AS versions,
       max((payload->>'version')::bigint) = max(s.version) AS up_to_date
FROM holdfast.outbox o JOIN holdfast.stock s ON s.product_id::text = o.aggregateid
WHERE aggregatetype = 'inventory-updated' AND aggregateid IN ('2001', '2002') GROUP BY 1 ORDER BY 1;
SELECT holdfast.expire_holds(0);
\echo :SQLSTATE
SELECT holdfast.expire_holds(NULL);
\echo :SQLSTATE

-- An order without end.
CALL holdfast.place_order(7, '[{"productId":2001,"quantity":1}]') \gset
UPDATE holdfast.orders SET expires_at = NULL WHERE order_id = :order_id;
UPDATE holdfast.reservation SET expires_at = NULL WHERE order_id = :order_id;
SELECT holdfast.expire_holds() AS expired;
SELECT holdfast.order_status(:order_id) - '{createdAt,updatedAt,timeline}'::text[] AS status;
CALL holdfast.complete_order(:order_id);
SELECT holdfast.order_status(:order_id)->'timeline'->0->>'status' AS first, holdfast.order_status(:order_id)->'timeline'->1->>'cause' AS then;

-- Unknown orders and nulls.
CALL holdfast.complete_order(1999999);
\echo :SQLSTATE
CALL holdfast.fail_order(1999999);
\echo :SQLSTATE
CALL holdfast.cancel_order(1999999);
\echo :SQLSTATE
CALL holdfast.extend_hold(1999999, '1 hour');
\echo :SQLSTATE
SELECT holdfast.order_status(1999999);
\echo :SQLSTATE
CALL holdfast.complete_order(NULL);
\echo :SQLSTATE
CALL holdfast.fail_order(NULL);
\echo :SQLSTATE
CALL holdfast.cancel_order(NULL);
\echo :SQLSTATE
CALL holdfast.extend_hold(NULL, '1 hour');
\echo :SQLSTATE
SELECT holdfast.order_status(NULL::bigint);
\echo :SQLSTATE

SELECT * FROM pg_temp.state;
SELECT * FROM pg_temp.stock;
SELECT * FROM holdfast.reconcile() WHERE product_id IN (2001, 2002);
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;

-- The events of bench.placed's orders: four to eight each, in the order of their time.
SET synchronous_commit = off;

CREATE FUNCTION pg_temp.event_id(at timestamptz, seed text) RETURNS uuid LANGUAGE sql
    RETURN overlay(md5(seed) PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' FROM 1 FOR 13)::uuid;

INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload, created_at)
SELECT e.id, e.topic, e.key, e.type,
       format('{"eventId":"%s","eventType":"%s","schemaVersion":1,"occurredAt":"%s",%s}', e.id, e.type,
              to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.fields)::json, e.at
FROM bench.placed p
     CROSS JOIN LATERAL (SELECT string_agg(format('{"productId":%s,"quantity":1}', bench.product(p.order_id, l)), ',') AS lines
                         FROM generate_series(1, p.lines) AS l) AS what
     CROSS JOIN LATERAL (
         SELECT pg_temp.event_id(t.at, t.topic || p.order_id || t.key) AS id, t.*
         FROM (SELECT 'order-created' AS topic, p.order_id::text AS key, 'OrderCreated' AS type, p.at AS at, format(
                   '"orderId":%s,"userId":%s,"lines":[%s],"originalTotalAmount":%s,"discountAmount":0,"finalTotalAmount":%4$s,'
                   '"currency":"KRW","status":"PENDING"', p.order_id, p.user_id, what.lines, 1000 * p.lines) AS fields
               UNION ALL
               SELECT 'inventory-reserved', p.order_id::text, 'InventoryReserved', p.at, format(
                   '"orderId":%s,"userId":%s,"lines":[%s],"amount":%s,"currency":"KRW","expiresAt":"%s"',
                   p.order_id, p.user_id, what.lines, 1000 * p.lines, p.at + interval '1 hour')
               UNION ALL
               SELECT 'inventory-updated', bench.product(p.order_id, l)::text, 'InventoryUpdated', p.at, format(
                   '"productId":%s,"onHand":1000000000,"reserved":%s,"available":999999000,"version":%2$s,"cause":"RESERVE","orderId":%2$s',
                   bench.product(p.order_id, l), p.order_id)
               FROM generate_series(1, p.lines) AS l
               UNION ALL
               SELECT 'order-events', p.order_id::text, CASE p.status WHEN 'FAILED' THEN 'OrderFailed' ELSE 'OrderConfirmed' END,
                      p.at + interval '2 s', format(
                   '"orderId":%s,"orderNumber":"%1$s","userId":%s,"status":"%s","originalTotalAmount":%s,"discountAmount":0,'
                   '"finalTotalAmount":%4$s,"kind":"%s"', p.order_id, p.user_id, p.status, 1000 * p.lines,
                   CASE p.status WHEN 'FAILED' THEN 'ORDER_FAILED' ELSE 'ORDER_CONFIRMED' END)
               WHERE p.status <> 'PENDING'
               UNION ALL
               SELECT 'payment-event', p.payment_id, 'PaymentStored', p.at + interval '2 s', format(
                   '"paymentId":"%s","orderId":%s,"status":"%s","amount":%s,"currency":"KRW"', p.payment_id, p.order_id, p.status, 1000 * p.lines)
               WHERE p.status <> 'PENDING'
               UNION ALL
               SELECT 'inventory-released', p.order_id::text, 'InventoryReleased', p.at + interval '2 s', format(
                   '"orderId":%s,"lines":[%s],"cause":"payment-failed"', p.order_id, what.lines)
               WHERE p.status = 'FAILED') AS t) AS e;

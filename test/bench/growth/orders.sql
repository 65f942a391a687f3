-- The rows of bench.placed's orders, as the procedures would have left them; outbox.sql has their events.
SET synchronous_commit = off;

INSERT INTO holdfast.orders (order_id, user_id, status, currency, original_total_amount, final_total_amount, failure_step,
                             failure_reason, failure_message, idempotency_key, created_at, updated_at, expires_at)
SELECT order_id, user_id, status, 'KRW', 1000 * lines, 1000 * lines, CASE status WHEN 'FAILED' THEN 'PAYMENT' END,
       CASE status WHEN 'FAILED' THEN 'LIMIT_EXCEEDED' END, CASE status WHEN 'FAILED' THEN 'payment failed' END,
       'cart-' || order_id, at, CASE status WHEN 'PENDING' THEN at ELSE at + interval '2 s' END, at + interval '1 hour'
FROM bench.placed;
INSERT INTO holdfast.order_line (order_id, line_no, product_id, quantity, unit_price)
SELECT order_id, line_no, product_id, 1, 1000 FROM bench.line;
INSERT INTO holdfast.reservation (order_id, product_id, quantity, state, expires_at, created_at, updated_at)
SELECT order_id, product_id, 1, CASE status WHEN 'PENDING' THEN 'HELD' WHEN 'FAILED' THEN 'RELEASED' ELSE 'SOLD' END,
       at + interval '1 hour', at, CASE status WHEN 'PENDING' THEN at ELSE at + interval '2 s' END
FROM bench.line;
INSERT INTO holdfast.order_history (order_id, at, status, cause, detail)
SELECT order_id, at + interval '2 s', status, CASE status WHEN 'FAILED' THEN 'payment-failed' ELSE 'payment-completed' END,
       jsonb_build_object('paymentId', payment_id)
FROM bench.placed WHERE status <> 'PENDING';
INSERT INTO holdfast.idempotency (user_id, key, request_hash, order_id, status, detail, created_at)
SELECT user_id, 'cart-' || order_id, sha256(order_id::text::bytea), order_id, 'PENDING',
       jsonb_build_object('finalTotalAmount', 1000 * lines, 'currency', 'KRW', 'expiresAt', holdfast.event_time(at + interval '1 hour')), at
FROM bench.placed;
INSERT INTO holdfast.payment (payment_id, order_id, user_id, amount, status, transaction_key, card_type, reason, created_at, updated_at)
SELECT payment_id, order_id, user_id, 1000 * lines, status, 'TX-' || order_id, 'CREDIT',
       CASE status WHEN 'FAILED' THEN 'LIMIT_EXCEEDED' END, at + interval '2 s', at + interval '2 s'
FROM bench.placed WHERE status <> 'PENDING';
INSERT INTO holdfast.payment_history (order_id, payment_id, at, status, cause, detail)
SELECT order_id, payment_id, at + interval '2 s', status, CASE status WHEN 'FAILED' THEN 'payment-failed' ELSE 'payment-completed' END,
       jsonb_build_object('amount', 1000 * lines, 'transactionKey', 'TX-' || order_id, 'cardType', 'CREDIT')
FROM bench.placed WHERE status <> 'PENDING';

UPDATE holdfast.stock s SET reserved = l.reserved, version = s.version + l.changes
FROM (SELECT product_id, count(*) FILTER (WHERE status <> 'FAILED') AS reserved, count(*) AS changes FROM bench.line GROUP BY 1) l
WHERE s.product_id = l.product_id;
SELECT setval('holdfast.order_id_seq', max(order_id)) FROM bench.placed;

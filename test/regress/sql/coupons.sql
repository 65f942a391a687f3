-- Coupons: a use is held, used and given back with its order, and never more often than may be.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(4851, 'tea', 1000, on_hand => 100);
CALL holdfast.set_product(4852, 'book', 900, 'EUR', on_hand => 100);
CREATE VIEW coupons_now AS SELECT c.code, c.total_uses AS total, c.uses,
    (SELECT string_agg(u.user_id || ':' || u.uses, ' ' ORDER BY u.user_id) FROM holdfast.coupon_user u WHERE u.code = c.code AND u.uses > 0) AS of_users,
    (SELECT string_agg(n.state || ' ' || n.uses, ', ' ORDER BY n.state) FROM (SELECT t.state, count(*) AS uses FROM holdfast.coupon_use t WHERE t.code = c.code GROUP BY 1) n) AS states
    FROM holdfast.coupon c ORDER BY c.code;
CREATE FUNCTION buy(user_id bigint, quantity int, coupons text, more text DEFAULT '{}', product_id bigint DEFAULT 4851, OUT order_id bigint, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(buy.user_id, buy.product_id, buy.quantity, NULL,
        jsonb_build_object('coupons', to_jsonb(string_to_array(coupons, ','))) || more::jsonb, order_id, status, detail);
    answer := concat_ws(' ', status, detail->>'reason', detail->>'coupon', detail->>'discountAmount', detail->>'finalTotalAmount', detail->>'message');
EXCEPTION WHEN OTHERS THEN
    answer := SQLSTATE || ': ' || SQLERRM;
END $$;

-- Administration, with its history.
CALL holdfast.set_coupon('WELCOME10', percent => 10, max_discount => 250, minimum_amount => 1000, total_uses => 3, uses_per_user => 1, reason => 'launch');
CALL holdfast.set_coupon('MINUS500', amount => 500);
CALL holdfast.set_coupon('MINUS500', amount => 500, reason => 'nothing new');
CALL holdfast.set_coupon('ODD', percent => 12.34);
CALL holdfast.set_coupon('TINY', percent => 0.01);
CALL holdfast.set_coupon('SOON', amount => 1, valid_from => now() + interval '1 day');
CALL holdfast.set_coupon('OVER', amount => 1, valid_until => now() - interval '1 day');
CALL holdfast.set_coupon('EURO', 'EUR', amount => 100);
CALL holdfast.set_coupon('all', percent => 100, total_uses => 1);
CALL holdfast.set_coupon('MINUS500', amount => 400, total_uses => 7, reason => 'less');
SELECT code, cause, definition, reason, actor = session_user AS by_me FROM holdfast.coupon_history WHERE code IN ('WELCOME10', 'MINUS500') ORDER BY history_id;
CALL holdfast.set_coupon(NULL, amount => 1);
CALL holdfast.set_coupon('a b', amount => 1);
CALL holdfast.set_coupon('X', 'won', amount => 1);
CALL holdfast.set_coupon('X');
CALL holdfast.set_coupon('X', amount => 1, percent => 1);
CALL holdfast.set_coupon('X', amount => 0);
CALL holdfast.set_coupon('X', percent => 100.01);
CALL holdfast.set_coupon('X', percent => 0.001);
CALL holdfast.set_coupon('X', amount => 1, max_discount => 1);
CALL holdfast.set_coupon('X', amount => 1, minimum_amount => -1);
CALL holdfast.set_coupon('X', amount => 1, valid_from => '2026-01-02', valid_until => '2026-01-02');
CALL holdfast.set_coupon('X', amount => 1, uses_per_user => 0);
\echo :SQLSTATE
CALL holdfast.stop_coupon('X', 'never was');
\echo :SQLSTATE

-- What it takes off, and where that is seen.
SELECT order_id, answer FROM buy(4861, 2, 'WELCOME10') \gset
SELECT :'answer' AS answer;
SELECT original_total_amount, discount_amount, final_total_amount FROM holdfast.orders WHERE order_id = :order_id;
SELECT o.payload->>'originalTotalAmount' AS original, o.payload->>'discountAmount' AS discount, o.payload->>'finalTotalAmount' AS final, o.payload->>'coupons' AS coupons
FROM holdfast.outbox o WHERE o.aggregateid = :'order_id' AND o.aggregatetype = 'order-created';
SELECT o.payload->>'amount' AS amount FROM holdfast.outbox o WHERE o.aggregateid = :'order_id' AND o.aggregatetype = 'inventory-reserved';
SELECT s->'coupons' AS coupons, s->'discountAmount' AS discount FROM holdfast.order_status(:order_id) s;
SELECT source, what, detail FROM holdfast.trace(:order_id) WHERE source = 'coupon';
SELECT answer FROM buy(4862, 5, 'WELCOME10');
SELECT answer FROM buy(4863, 1, 'ODD');
-- One after the other, each from what is left.
SELECT order_id, answer FROM buy(4863, 1, 'MINUS500,ODD') \gset
SELECT :'answer' AS answer, (SELECT string_agg(code || ' ' || discount_amount, ', ' ORDER BY code) FROM holdfast.coupon_use WHERE order_id = :order_id) AS uses;
SELECT answer FROM buy(4863, 1, 'ODD,MINUS500');
SELECT answer FROM buy(4863, 1, 'all', product_id => 4851);
SELECT answer FROM buy(4863, 1, '');
SELECT answer FROM buy(4864, 1, 'EURO', product_id => 4852);

-- Refusals: nothing is taken, of stock nor of another coupon.
SELECT reserved AS reserved_before FROM holdfast.stock WHERE product_id = 4851 \gset
SELECT uses AS uses_before FROM holdfast.coupon WHERE code = 'MINUS500' \gset
SELECT t.coupons, b.answer FROM unnest(ARRAY['NOPE', 'MINUS500,welcome10', 'SOON', 'OVER', 'EURO', 'TINY', 'WELCOME10', 'all', 'MINUS500,SOON']) WITH ORDINALITY AS t(coupons, n),
    LATERAL buy(4861, 1, t.coupons) b ORDER BY t.n;
CALL holdfast.set_coupon('BIG', amount => 100, minimum_amount => 1001);
SELECT order_id, answer FROM buy(4865, 1, 'BIG') \gset
SELECT :'answer' AS answer, status, failure_step, failure_reason, discount_amount, (SELECT count(*) FROM holdfast.coupon_use u WHERE u.order_id = o.order_id) AS uses
FROM holdfast.orders o WHERE o.order_id = :order_id;
SELECT o.payload->>'failedStep' AS step, o.payload->>'reason' AS reason, o.payload->>'message' AS message, o.payload->>'lines' AS lines FROM holdfast.outbox o WHERE o.aggregateid = :'order_id';
SELECT answer FROM buy(4865, 1000, 'MINUS500');
SELECT answer FROM buy(4865, 1, 'MINUS500', '{"expectedTotalAmount": 1000}');
SELECT answer FROM buy(4865, 1, 'MINUS500', '{"expectedTotalAmount": 600}');
SELECT reserved - :reserved_before AS taken, (SELECT uses - :uses_before FROM holdfast.coupon WHERE code = 'MINUS500') AS used FROM holdfast.stock WHERE product_id = 4851;
SELECT answer FROM buy(4865, 1, NULL);
SELECT answer FROM buy(4865, 1, 'ODD,ODD');
SELECT answer FROM buy(4865, 1, '1,2,3,4,5,6,7,8,9,10,11');
SELECT answer FROM buy(4865, 1, 'ODD', '{"coupons": "ODD"}');
SELECT answer FROM buy(4865, 1, 'ODD', '{"coupons": [["ODD"]]}');
SELECT answer FROM buy(4865, 1, 'ODD', '{"coupons": [7]}');

-- With the order: used, given back, expired.
SELECT * FROM coupons_now WHERE code = 'WELCOME10';
SELECT code, total_uses, uses, uses_left, user_uses_left, is_valid FROM holdfast.coupon_availability('{WELCOME10,MINUS500,OVER,SOON,NOPE}', 4861);
SELECT code, user_uses_left FROM holdfast.coupon_availability('{WELCOME10}', 4899);
SELECT code, user_uses_left FROM holdfast.coupon_availability('{WELCOME10}');
SELECT order_id FROM holdfast.coupon_use WHERE code = 'WELCOME10' AND user_id = 4861 AND state = 'HELD' \gset
CALL holdfast.cancel_order(:order_id) \gset
SELECT s->'coupons' AS coupons, s->'discountAmount' AS discount FROM holdfast.order_status(:order_id) s;
SELECT source, what FROM holdfast.trace(:order_id) WHERE source = 'coupon';
SELECT * FROM coupons_now WHERE code = 'WELCOME10';
SELECT order_id, answer FROM buy(4861, 1, 'WELCOME10') \gset
SELECT :'answer' AS answer;
CALL holdfast.complete_order(:order_id) \gset
SELECT order_id, answer FROM buy(4866, 1, 'WELCOME10') \gset
SELECT * FROM coupons_now WHERE code = 'WELCOME10';
SELECT answer FROM buy(4867, 1, 'WELCOME10');
UPDATE holdfast.reservation SET expires_at = now() - interval '1 s' WHERE order_id = :order_id;
UPDATE holdfast.orders SET expires_at = now() - interval '1 s' WHERE order_id = :order_id;
SELECT holdfast.expire_holds() > 0 AS swept;
SELECT * FROM coupons_now WHERE code = 'WELCOME10';
SELECT order_id, answer FROM buy(4867, 1, 'WELCOME10') \gset
SELECT holdfast.on_order_failed('k', jsonb_build_object('orderId', :order_id, 'failedStep', 'PAYMENT', 'reason', 'DECLINED'), NULL);
SELECT holdfast.on_order_failed('k', jsonb_build_object('orderId', :order_id, 'failedStep', 'PAYMENT', 'reason', 'DECLINED'), NULL);
SELECT * FROM coupons_now WHERE code = 'WELCOME10';
-- Paid: the payment is what the order costs with its coupon.
SELECT order_id, answer FROM buy(4868, 2, 'WELCOME10') \gset
CALL holdfast.begin_payment(:order_id, payment_id => 'coupon-1') \gset
CALL holdfast.complete_payment('coupon-1') \gset
SELECT p.amount, o.status, (SELECT state FROM holdfast.coupon_use u WHERE u.order_id = o.order_id) AS state FROM holdfast.payment p JOIN holdfast.orders o USING (order_id) WHERE p.payment_id = 'coupon-1';
SELECT o.payload->>'originalTotalAmount' AS original, o.payload->>'discountAmount' AS discount, o.payload->>'finalTotalAmount' AS final
FROM holdfast.outbox o WHERE o.aggregateid = :'order_id' AND o.aggregatetype = 'order-events';

-- Several orders that end at once, and several coupons.
CALL holdfast.set_coupon('MANY', amount => 1);
SELECT array_agg((buy(4869 + n % 2, 1, 'MANY,MINUS500')).order_id) AS orders FROM generate_series(1, 3) n \gset
SELECT * FROM coupons_now WHERE code IN ('MANY', 'MINUS500');
SELECT holdfast.on_order_failed_batch(array_fill('k'::text, '{3}'), array_agg(jsonb_build_object('orderId', o, 'reason', 'x')), array_fill('{}'::jsonb, '{3}')) FROM unnest(:'orders'::bigint[]) o;
SELECT * FROM coupons_now WHERE code IN ('MANY', 'MINUS500');

-- A batch counts within itself, first come, first served.
CALL holdfast.set_coupon('TWO', amount => 100, total_uses => 2);
CALL holdfast.set_coupon('ONCE', percent => 50, uses_per_user => 1);
CREATE FUNCTION outcome(results jsonb) RETURNS TABLE (n bigint, answer text) LANGUAGE sql AS $$
    SELECT e.n, concat_ws(' ', e.r->>'status', e.r->'detail'->>'reason', coalesce(e.r->'detail'->>'message', e.r->'detail'->>'finalTotalAmount', e.r->>'message'))
    FROM jsonb_array_elements(results) WITH ORDINALITY AS e(r, n) ORDER BY 1 $$;
CALL holdfast.place_orders('[
    {"userId": 4871, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["TWO"]}},
    {"userId": 4871, "lines": [{"productId": 4851, "quantity": 1000}], "options": {"coupons": ["TWO"]}},
    {"userId": 4871, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["ONCE"]}, "idempotencyKey": "batch"},
    {"userId": 4872, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["ONCE", "TWO"]}},
    {"userId": 4871, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["ONCE"]}},
    {"userId": 4873, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["TWO"]}, "idempotencyKey": "batch"},
    {"userId": 4873, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["NOPE"]}},
    {"userId": 4871, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["ONCE"]}, "idempotencyKey": "batch"},
    {"userId": 4873, "lines": [{"productId": 4851, "quantity": 1}]}]') \gset
SELECT * FROM outcome(:'results');
SELECT * FROM coupons_now WHERE code IN ('TWO', 'ONCE');
CALL holdfast.place_orders('[{"userId": 4871, "lines": [{"productId": 4851, "quantity": 1}], "options": {"coupons": ["ONCE"]}, "idempotencyKey": "batch"}]') \gset
SELECT r->'detail'->'replayed' AS replayed, r->'detail'->'finalTotalAmount' AS final FROM jsonb_array_elements(:'results') r;
-- A repetition is answered as the first time, though its coupon is used up by it.
CALL holdfast.place_order_item(4874, 4851, 1, 'again', '{"coupons": ["ONCE"]}') \gset
CALL holdfast.place_order_item(4874, 4851, 1, 'again', '{"coupons": ["ONCE"]}') \gset
SELECT :'status' AS status, :'detail'::jsonb->'replayed' AS replayed;
CALL holdfast.place_order_item(4874, 4851, 1, 'again', '{"coupons": ["MANY"]}');
CALL holdfast.place_order_item(4874, 4851, 1, 'other', '{"coupons": ["ONCE"]}') \gset
SELECT :'status' AS status, :'detail'::jsonb->>'reason' AS reason;

-- Asked for asynchronously.
SELECT holdfast.submit_order(4875, '[{"productId": 4851, "quantity": 1}]', options => '{"coupons": ["NOPE"]}') AS refused,
       holdfast.submit_order(4875, '[{"productId": 4851, "quantity": 1}]', options => '{"coupons": ["ODD"]}') AS placed \gset
SELECT holdfast.on_order_request_batch(array_fill('k'::text, '{2}'),
    ARRAY[jsonb_build_object('traceId', :'refused'::text, 'userId', 4875, 'lines', '[{"productId": 4851, "quantity": 1}]'::jsonb, 'options', '{"coupons": ["NOPE"]}'::jsonb),
          jsonb_build_object('traceId', :'placed'::text, 'userId', 4875, 'lines', '[{"productId": 4851, "quantity": 1}]'::jsonb, 'options', '{"coupons": ["ODD"]}'::jsonb)], array_fill('{}'::jsonb, '{2}'));
SELECT s - '{traceId,createdAt,updatedAt,orderId}'::text[] AS status FROM holdfast.order_status(:'refused'::uuid) s;
SELECT o.final_total_amount FROM holdfast.orders o WHERE o.order_id = (holdfast.order_status(:'placed'::uuid)->>'orderId')::bigint;

-- In a caller's transaction, where locks come first.
BEGIN;
CALL holdfast.place_order_item(4876, 4851, 1, NULL, '{"coupons": ["MANY"]}') \gset
SELECT :'detail'::jsonb->'discountAmount' AS discount;
SELECT * FROM coupons_now WHERE code = 'MANY';
ROLLBACK;
SELECT * FROM coupons_now WHERE code = 'MANY';

-- With a price function: what it takes off comes first.
CREATE FUNCTION public.regress_half("order" jsonb) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('discountAmount', CASE WHEN "order"->'coupons' ? 'ODD' THEN ("order"->>'originalTotalAmount')::bigint / 2 ELSE 0 END) $$;
SET holdfast.price_order = 'public.regress_half';
SELECT answer FROM buy(4877, 1, 'ODD');
SELECT answer FROM buy(4877, 1, 'MANY');
RESET holdfast.price_order;
DROP FUNCTION public.regress_half;

-- Stopped: no new uses; those that are held stay. Fewer than there were cannot be.
CALL holdfast.set_coupon('TWO', amount => 100, total_uses => 1);
\echo :SQLSTATE
CALL holdfast.stop_coupon('ODD', 'too odd');
CALL holdfast.stop_coupon('ODD', 'again');
SELECT answer FROM buy(4877, 1, 'ODD');
SELECT cause, definition ? 'validUntil' AS has_end, reason FROM holdfast.coupon_history WHERE code = 'ODD' ORDER BY history_id;
CALL holdfast.complete_order((holdfast.order_status(:'placed'::uuid)->>'orderId')::bigint) \gset
SELECT * FROM coupons_now WHERE code = 'ODD';
CALL holdfast.set_coupon('ODD', percent => 12.34);
SELECT answer FROM buy(4877, 1, 'ODD');

-- The books.
SELECT * FROM holdfast.reconcile_coupons();
UPDATE holdfast.coupon SET uses = uses + 2 WHERE code = 'MANY';
UPDATE holdfast.coupon_user SET uses = 0 WHERE code = 'ONCE' AND user_id = 4871;
INSERT INTO holdfast.coupon_user (code, user_id, uses) VALUES ('ONCE', 4899, 3);
SELECT * FROM holdfast.reconcile_coupons();
SELECT * FROM holdfast.reconcile_coupons(repair => true);
SELECT * FROM holdfast.reconcile_coupons();
SELECT cause, reason FROM holdfast.coupon_history WHERE code = 'MANY' ORDER BY history_id;
UPDATE holdfast.coupon SET uses = 0, total_uses = 1 WHERE code = 'TWO';
SELECT * FROM holdfast.reconcile_coupons(repair => true);
\echo :SQLSTATE
UPDATE holdfast.coupon SET uses = 2, total_uses = 2 WHERE code = 'TWO';
UPDATE holdfast.coupon_use SET state = 'USED' WHERE code = 'TWO' AND user_id = 4871;
SELECT * FROM holdfast.reconcile_coupons(repair => true);
UPDATE holdfast.coupon_use SET state = 'HELD' WHERE code = 'TWO' AND user_id = 4871;
SELECT count(*) FROM holdfast.reconcile() WHERE product_id IN (4851, 4852);

DROP VIEW coupons_now;
DROP FUNCTION buy, outcome;

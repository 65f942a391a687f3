-- Waiting rooms: joining, being let in at a rate, tokens that one order is good for.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(6101, 'shoe', 100, on_hand => 10);
CALL holdfast.set_product(6102, 'lace', 7, on_hand => 10);
CALL holdfast.set_product(6103, 'hat', 7, on_hand => 10);

CREATE FUNCTION raises(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
-- The clock as the room sees it: everything that it knows happened earlier.
CREATE FUNCTION later(room text, by interval) RETURNS void LANGUAGE sql AS $$
    UPDATE holdfast.waiting_rate SET since = since - by WHERE room_id = (SELECT room_id FROM holdfast.waiting_room WHERE name = room);
    UPDATE holdfast.waiting_drop SET at = at - by WHERE room_id = (SELECT room_id FROM holdfast.waiting_room WHERE name = room);
    UPDATE holdfast.waiting_ticket SET joined_at = joined_at - by, expires_at = expires_at - by, used_at = used_at - by
        WHERE room_id = (SELECT room_id FROM holdfast.waiting_room WHERE name = room) $$;
CREATE FUNCTION place(user_id bigint, product_id bigint, options jsonb, key text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(user_id, product_id, 1, key, options, order_id, status, detail);
    RETURN concat_ws(' ', status, detail->>'reason', CASE WHEN detail ? 'replayed' THEN 'replayed' END);
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- A position, with the estimate rounded up to ten seconds.
CREATE FUNCTION pos(ticket uuid, user_id bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', p->>'status', p->>'position', ceil((p->>'estimatedSeconds')::numeric / 10) * 10 || ' s')
    FROM holdfast.waiting_position(ticket, user_id) p $$;

-- A room that is paused: people may come, nobody is let in.
CALL holdfast.set_waiting_room('door', 0, '5 minutes');
SELECT count(holdfast.waiting_join('door', u)) FROM generate_series(1, 4) u;
SELECT ticket AS t1 FROM holdfast.waiting_ticket WHERE user_id = 1 \gset
SELECT ticket AS t2 FROM holdfast.waiting_ticket WHERE user_id = 2 \gset
SELECT ticket AS t3 FROM holdfast.waiting_ticket WHERE user_id = 3 \gset
SELECT ticket AS t4 FROM holdfast.waiting_ticket WHERE user_id = 4 \gset
SELECT pos(:'t1', 1) AS one, pos(:'t4', 4) AS four;
SELECT holdfast.waiting_join('door', 3) = :'t3' AS same_ticket;
SELECT holdfast.waiting_position(:'t4', 4);
SELECT room, per_second, valid_for, max_admitted, joined, waiting, admitted, product_ids FROM holdfast.waiting_rooms() WHERE room = 'door';

-- One every hundred seconds, from now on.
CALL holdfast.set_waiting_room('door', 0.01);
SELECT pos(:'t1', 1) AS one, pos(:'t4', 4) AS four;
SELECT later('door', '110 s');
SELECT pos(:'t1', 1) AS one, pos(:'t2', 2) AS two;
SELECT holdfast.waiting_position(:'t1', 1) = holdfast.waiting_position(:'t1', 1) AS same_token,
       (holdfast.waiting_position(:'t1', 1)->>'expiresAt')::timestamptz - now() BETWEEN '295 s' AND '305 s' AS five_minutes;
-- The rate changes: what it has let in, to the fraction, stays.
CALL holdfast.set_waiting_room('door', 0.1);
SELECT pos(:'t2', 2) AS two, pos(:'t4', 4) AS four;
SELECT later('door', '10 s');
-- A pause: whose turn has come is let in; the others keep their place.
CALL holdfast.set_waiting_room('door', 0);
SELECT later('door', '10 s');
SELECT pos(:'t2', 2) AS two, pos(:'t3', 3) AS three;
CALL holdfast.set_waiting_room('door', 0.1);
SELECT pos(:'t3', 3) AS three;
-- Three goes away, and does not hold up four.
SELECT holdfast.waiting_leave(:'t3', 4) AS not_yours, holdfast.waiting_leave(:'t3', 3) AS "left", holdfast.waiting_leave(:'t3', 3) AS again;
SELECT raises(format('SELECT holdfast.waiting_position(%L, 3)', :'t3')) LIKE 'HF031 ticket % does not exist' AS gone;
SELECT later('door', '19 s');
SELECT pos(:'t4', 4) AS four;

-- Nor does one who never asks: his turn passes, and with it his ticket.
SELECT holdfast.waiting_join('door', 5) AS t5 \gset
SELECT holdfast.waiting_join('door', 6) AS t6 \gset
SELECT later('door', '200 s');
SELECT pos(:'t6', 6) AS six;
SELECT holdfast.waiting_join('door', 5) = :'t5' AS still_in_time;
SELECT later('door', '200 s');
SELECT pos(:'t5', 5) AS five;
SELECT holdfast.waiting_join('door', 5) = :'t5' AS same_ticket;
SELECT pos(:'t6', 6) AS six;

-- What a quiet time would have let in is not saved up: at most two seconds of the rate, or two customers.
SELECT later('door', '1 h');
SELECT count(holdfast.waiting_join('door', u)) FROM generate_series(101, 110) u;
SELECT count(*) FILTER (WHERE token IS NOT NULL) AS let_in, count(*) FROM holdfast.waiting_ticket WHERE user_id BETWEEN 101 AND 110;
SELECT min(number) = (SELECT max(number) FROM holdfast.waiting_ticket WHERE user_id BETWEEN 1 AND 10) + 1 AS in_line FROM holdfast.waiting_ticket WHERE user_id BETWEEN 101 AND 110;
-- A pause takes back what is saved up.
SELECT later('door', '1 h');
CALL holdfast.set_waiting_room('door', 0);
SELECT holdfast.waiting_position(holdfast.waiting_join('door', 111), 111) AS position;

-- At most so many at once.
CALL holdfast.set_waiting_room('small', 1000, '5 minutes', max_admitted => 2);
SELECT later('small', '1 s');
SELECT u, holdfast.waiting_position(holdfast.waiting_join('small', u), u) - '{token,expiresAt}'::text[] AS position FROM generate_series(1, 4) u;
SELECT holdfast.waiting_leave(ticket, 1) FROM holdfast.waiting_ticket t JOIN holdfast.waiting_room r USING (room_id) WHERE r.name = 'small' AND user_id = 1;
SELECT t.user_id, holdfast.waiting_position(ticket, user_id)->>'status' AS status FROM holdfast.waiting_ticket t JOIN holdfast.waiting_room r USING (room_id) WHERE r.name = 'small' ORDER BY 1;
SELECT later('small', '6 min');
SELECT t.user_id, holdfast.waiting_position(ticket, user_id)->>'status' AS status FROM holdfast.waiting_ticket t JOIN holdfast.waiting_room r USING (room_id) WHERE r.name = 'small' ORDER BY 1;

-- ---- Orders
CREATE FUNCTION token(room text, user_id bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('admissionToken', holdfast.waiting_position(holdfast.waiting_join(room, user_id), user_id)->'token') $$;
CALL holdfast.set_waiting_room('sale', 1000, '5 minutes');
CALL holdfast.set_waiting_room('other', 1000, '5 minutes');
SELECT later('sale', '1 s'), later('other', '1 s');
CALL holdfast.set_product_room(6101, 'sale');
CALL holdfast.set_product_room(6103, 'other');
SELECT token('sale', 6111) AS token11 \gset
SELECT token('sale', 6112) AS token12 \gset
SELECT token('other', 6111) AS other11 \gset

-- Missing, of nobody, of another user, of another room.
SELECT place(6111, 6101, NULL), place(6111, 6101, '{"holdSeconds":60}');
SELECT place(6111, 6101, '{"admissionToken":"00000000-0000-4000-8000-000000000000"}');
SELECT place(6111, 6101, :'token12');
SELECT place(6111, 6101, :'other11');
SELECT place(6111, 6101, '{"admissionToken":"let me in"}'), place(6111, 6101, '{"admissionToken":null}'), place(6111, 6101, '{"admissionToken":7}');
SELECT reserved FROM holdfast.stock WHERE product_id = 6101;
-- Good for one order, whose repetitions have its answer.
SELECT place(6111, 6101, :'token11', 'cart'), place(6111, 6101, :'token11', 'cart'), place(6111, 6101, NULL, 'cart');
SELECT place(6111, 6101, :'token11', 'another');
SELECT place(6111, 6101, :'token11');
SELECT holdfast.waiting_position(ticket, 6111) AS used, t.order_id IS NOT DISTINCT FROM (SELECT o.order_id FROM holdfast.orders o WHERE o.user_id = 6111) AS by_the_order
FROM holdfast.waiting_ticket t JOIN holdfast.waiting_room r USING (room_id) WHERE r.name = 'sale' AND user_id = 6111;
-- Joining again is a new place.
SELECT token('sale', 6111) <> :'token11' AS another_token;
-- The key of a request that was not admitted is free.
SELECT place(6112, 6101, NULL, 'cart'), place(6112, 6101, :'token12', 'cart');
-- No token, no news about the stock.
UPDATE holdfast.stock SET safety_stock = 8 WHERE product_id = 6101;
SELECT token('sale', 6113) AS token13 \gset
SELECT place(6113, 6101, NULL);
-- A refusal keeps the token, whether or not it is recorded, and so does a transaction that is rolled back.
SELECT place(6113, 6101, :'token13', 'k1');
SET holdfast.record_refusals = off;
SELECT place(6113, 6101, :'token13');
CALL holdfast.place_order_item(6113, 6101, 1, NULL, :'token13') \gset
SELECT :'status' AS status;
RESET holdfast.record_refusals;
UPDATE holdfast.stock SET safety_stock = 0 WHERE product_id = 6101;
BEGIN;
SELECT place(6113, 6101, :'token13');
SELECT place(6113, 6101, :'token13');
ROLLBACK;
-- At top level, where the locks are released early.
CALL holdfast.place_order(6113, '[{"productId":6101,"quantity":1},{"productId":6102,"quantity":1}]', NULL, :'token13') \gset
SELECT :'status' AS status;
CALL holdfast.place_order(6113, '[{"productId":6101,"quantity":1}]', NULL, :'token13');
-- Expired.
SELECT token('sale', 6114) AS token14 \gset
SELECT later('sale', '6 min');
SELECT place(6114, 6101, :'token14');
-- Two rooms in one order.
SELECT raises($$CALL holdfast.place_order(6111, '[{"productId":6101,"quantity":1},{"productId":6103,"quantity":1}]', NULL, NULL)$$);
SELECT raises($$SELECT holdfast.submit_order(6111, '[{"productId":6101,"quantity":1},{"productId":6103,"quantity":1}]')$$);
-- Products without a room mind no token.
SELECT place(6114, 6102, :'token14');

-- ---- Batches: each on its own; a token counts once within the batch too, and the key of who is not let in stays free.
SELECT token('sale', 6121) AS token21 \gset
SELECT token('sale', 6122) AS token22 \gset
SELECT token('sale', 6123) AS token23 \gset
SELECT jsonb_agg(jsonb_build_object('userId', u, 'lines', format('[{"productId":6101,"quantity":%s}]', q)::jsonb, 'idempotencyKey', k, 'options', o) ORDER BY n) AS batch
FROM (VALUES (1, 6121, 1, 'a', :'token21'::jsonb), (2, 6121, 1, 'b', :'token21'), (3, 6121, 1, 'b', :'token21'), (4, 6121, 1, 'a', '{}'),
             (5, 6122, 100, 'a', :'token22'), (6, 6122, 1, 'b', :'token22'), (7, 6123, 1, 'a', '{}'), (8, 6123, 1, 'a', :'token23'), (9, 6123, 1, 'b', :'token23')) AS b(n, u, q, k, o) \gset
CALL holdfast.place_orders(:'batch') \gset
SELECT e.n, e.r->>'status' AS status, coalesce(e.r->>'sqlstate' || ' ' || (e.r->>'message'), e.r->'detail'->>'reason') AS "of", e.r->'detail'->'replayed' AS replayed
FROM jsonb_array_elements(:'results'::jsonb) WITH ORDINALITY AS e(r, n) ORDER BY 1;
SELECT user_id, key FROM holdfast.idempotency WHERE user_id IN (6121, 6122, 6123) ORDER BY 1, 2;
SELECT count(*) FROM holdfast.orders WHERE user_id IN (6121, 6122, 6123) AND status = 'PENDING';

-- ---- Asynchronous: the token is used when the order is submitted, and may expire before it is placed.
SELECT raises($$SELECT holdfast.submit_order(6131, '[{"productId":6101,"quantity":1}]', 'k')$$);
SELECT token('sale', 6131) AS token31 \gset
SELECT holdfast.submit_order(6131, '[{"productId":6101,"quantity":1}]', 'k', :'token31') AS trace \gset
SELECT holdfast.submit_order(6131, '[{"productId":6101,"quantity":1}]', 'k', :'token31') = :'trace' AS same, holdfast.submit_order(6131, '[{"productId":6101,"quantity":1}]', 'k') = :'trace' AS same_without;
SELECT raises(format($$SELECT holdfast.submit_order(6131, '[{"productId":6101,"quantity":1}]', 'k2', %L)$$, :'token31'));
SELECT options, admitted_room = (SELECT room_id FROM holdfast.waiting_room WHERE name = 'sale') AS admitted FROM holdfast.order_request WHERE trace_id = :'trace';
SELECT payload AS message, payload::jsonb ? 'options' AS has_options FROM holdfast.outbox WHERE aggregateid = :'trace' \gset
SELECT place(6131, 6101, :'token31');
SELECT later('sale', '1 h');
SELECT token('sale', 6131) <> :'token31' AS in_line_again;
SELECT place(6132, 6101, jsonb_build_object('traceId', :'trace')) AS of_another;
SELECT holdfast.on_order_request('k', :'message', NULL);
SELECT holdfast.order_status(:'trace'::uuid)->>'status' AS status, admitted_room FROM holdfast.order_request WHERE trace_id = :'trace';
SELECT place(6131, 6101, jsonb_build_object('traceId', :'trace')) AS once;
-- A request for other products, or one that was refused, admits nobody.
SELECT holdfast.submit_order(6134, '[{"productId":6102,"quantity":1}]') AS lace \gset
SELECT place(6134, 6101, jsonb_build_object('traceId', :'lace'));
SELECT token('sale', 6134) AS token34 \gset
SELECT holdfast.submit_order(6134, '[{"productId":6101,"quantity":1000}]', NULL, :'token34') AS many \gset
SELECT holdfast.on_order_request('k', payload::jsonb, NULL) FROM holdfast.outbox WHERE aggregateid = :'many';
SELECT holdfast.order_status(:'many'::uuid)->>'reason' AS reason, place(6134, 6101, jsonb_build_object('traceId', :'many')) AS refused;
-- One that an application has published itself brings its token with it.
SELECT token('sale', 6133) AS token33 \gset
SELECT raises($$SELECT holdfast.on_order_request('k', '{"traceId":"00000000-0000-4000-8000-000000006101","userId":6133,"lines":[{"productId":6101,"quantity":1}]}', NULL)$$);
SELECT holdfast.on_order_request('k', format('{"traceId":"00000000-0000-4000-8000-000000006101","userId":6133,"lines":[{"productId":6101,"quantity":1}],"options":%s}', :'token33')::jsonb, NULL);
SELECT holdfast.order_status('00000000-0000-4000-8000-000000006101'::uuid)->>'status' AS status;

-- ---- What is wrong.
SELECT raises($$SELECT holdfast.waiting_join('nowhere', 1)$$), raises($$SELECT holdfast.waiting_join(NULL, 1)$$), raises($$SELECT holdfast.waiting_join('sale', NULL)$$);
SELECT raises(format('SELECT holdfast.waiting_position(%L, 1)', '00000000-0000-4000-8000-000000000000'));
SELECT raises($$SELECT holdfast.waiting_position(NULL, 1)$$), raises($$SELECT holdfast.waiting_leave(NULL, 1)$$);
SELECT raises(format('CALL holdfast.set_waiting_room(%s)', a)) FROM unnest(ARRAY[
    $$NULL, 1$$, $$'', 1$$, $$'x'$$, $$'x', -1$$, $$'x', 'NaN'$$, $$'x', 2000000$$, $$'x', 1, '0 s'$$, $$'x', 1, '31 days'$$, $$'x', 1, '1 min', -1$$]) a;
-- What is not given stays.
CALL holdfast.set_waiting_room('small', valid_for => '1 hour');
CALL holdfast.set_waiting_room('other', max_admitted => 9);
SELECT room, per_second, valid_for, max_admitted FROM holdfast.waiting_rooms() WHERE room IN ('small', 'other');
CALL holdfast.set_waiting_room('small', max_admitted => 0);
SELECT room, per_second, valid_for, max_admitted FROM holdfast.waiting_rooms() WHERE room IN ('small', 'other');
SELECT raises('CALL holdfast.set_product_room(6199, NULL)'), raises($$CALL holdfast.set_product_room(6101, 'nowhere')$$), raises($$CALL holdfast.set_product_room(NULL, 'sale')$$);
SELECT raises($$CALL holdfast.remove_waiting_room('nowhere')$$);

-- ---- Old tickets go; whoever waits stays.
CREATE FUNCTION left_in(room text) RETURNS text LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE token IS NULL) || ' waiting, ' || count(token) || ' with a token'
    FROM holdfast.waiting_ticket WHERE room_id = (SELECT room_id FROM holdfast.waiting_room WHERE name = room) $$;
CREATE FUNCTION drops(room text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM holdfast.waiting_drop WHERE room_id = (SELECT room_id FROM holdfast.waiting_room WHERE name = room) $$;
SELECT drops('door') > 1 AS several;
UPDATE holdfast.waiting_ticket SET ticket = overlay(ticket::text PLACING substr(holdfast.uuid_v7_floor(now() - interval '2 days')::text, 1, 13) FROM 1)::uuid;
SELECT left_in('door') AS door, left_in('sale') AS sale;
SET ROLE holdfast_owner;
SELECT holdfast.forget_waiting(1000) > 0 AS lapsed;
SELECT left_in('door') AS door, left_in('sale') AS sale;
SELECT later('door', '25 h'), later('sale', '25 h');
SELECT count(*) AS before FROM holdfast.waiting_ticket \gset
SELECT holdfast.forget_waiting(3) > 0 AS forgotten;
SELECT :before - count(*) AS at_most_three FROM holdfast.waiting_ticket;
SELECT (holdfast.maintain()->'forgotten')::int > 0 AS forgotten;
RESET ROLE;
SELECT left_in('door') AS door, left_in('sale') AS sale;
SELECT drops('door');

-- A restored dump has the rooms' sequences without their owner; maintain() puts that right.
SELECT room_id AS door FROM holdfast.waiting_room WHERE name = 'door' \gset
ALTER SEQUENCE holdfast.waiting_numbers_:door OWNED BY NONE;
SELECT holdfast.maintain() IS NOT NULL AS maintained;
SELECT count(DISTINCT d.objid) = (SELECT count(*) FROM holdfast.waiting_room) AS all_owned
FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.refobjid = 'holdfast.waiting_room'::regclass AND d.deptype = 'a'
WHERE s.relname LIKE 'waiting\_numbers\_%';

-- Without its room a product is sold freely.
CALL holdfast.remove_waiting_room('sale');
SELECT place(6140, 6101, NULL), place(6140, 6103, NULL);
CALL holdfast.set_product_room(6103, NULL);
SELECT place(6140, 6103, NULL);
CALL holdfast.remove_waiting_room('other');
CALL holdfast.remove_waiting_room('door');
CALL holdfast.remove_waiting_room('small');
SELECT count(*) FROM holdfast.waiting_ticket;
SELECT count(*) FROM pg_class WHERE relname LIKE 'waiting\_numbers\_%';
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 6101 AND 6103 AND expected IS DISTINCT FROM actual;
DROP FUNCTION raises, later, place, pos, token, left_in, drops;

-- Sagas: pay_first, stock elsewhere, orders from elsewhere, definitions of one's own; forward, back, timeouts,
-- what a person decides, what comes too early.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 9700000) AS base \gset
CALL holdfast.set_product(9701, 'ticket', 1000, on_hand => 5);
CALL holdfast.set_product(9702, 'poster', 300, on_hand => 100);

CREATE PROCEDURE pg_temp.place(saga text, quantity int DEFAULT 1, product_id bigint DEFAULT 9701) LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint;
    status text;
    detail jsonb;
BEGIN
    CALL holdfast.place_order_item(97, product_id, quantity, NULL, jsonb_build_object('saga', saga), order_id, status, detail);
END
$$;
CREATE FUNCTION pg_temp.paid(n int, payment_id text, amount bigint) RETURNS void LANGUAGE sql AS $$
    SELECT holdfast.on_payment_completed((9700000 + n)::text,
        jsonb_build_object('orderId', 9700000 + n, 'paymentId', payment_id, 'amount', amount), '{}');
$$;
CREATE VIEW pg_temp.sagas AS
    SELECT s.order_id - 9700000 AS n, s.saga, s.version AS v, s.state, s.step, s.order_status, s.attempts,
           CASE WHEN s.deadline IS NOT NULL THEN 'set' END AS deadline, s.last_event, s.last_error
    FROM holdfast.saga s WHERE s.order_id BETWEEN 9700001 AND 9700999 ORDER BY 1;
CREATE VIEW pg_temp.steps AS
    SELECT s.order_id - 9700000 AS n, string_agg(
               format('%s %s%s', s.step, CASE s.direction WHEN 'COMPENSATE' THEN 'back ' ELSE '' END, s.status)
               || CASE WHEN s.attempts > 1 THEN ' x' || s.attempts ELSE '' END || coalesce(' (' || s.error || ')', ''),
               ', ' ORDER BY s.seq) AS steps
    FROM holdfast.saga_step s WHERE s.order_id BETWEEN 9700001 AND 9700999 GROUP BY s.order_id ORDER BY 1;
CREATE VIEW pg_temp.events AS
    SELECT o.aggregateid::bigint - 9700000 AS n, string_agg(o.aggregatetype || CASE WHEN o.type IN ('SagaCommand', 'SagaStuck', 'CompensationFailed') THEN ' ' || o.type ELSE '' END, ', ' ORDER BY o.id) AS events
    FROM holdfast.outbox o WHERE o.aggregateid ~ '^9700[0-9]{3}$' GROUP BY o.aggregateid ORDER BY 1;
CREATE FUNCTION pg_temp.error(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.due(n int) RETURNS void LANGUAGE sql AS $$
    UPDATE holdfast.saga_instance SET deadline = now() - interval '1 second' WHERE order_id = 9700000 + n;
$$;

-- What ships.
SELECT saga, version, step_no, step, kind, completes_on, timeout, pivot FROM holdfast.saga_definition WHERE built_in ORDER BY 1, 2, 3;

-- ---- pay_first: no stock until it is paid -----------------------------------------------------
CALL pg_temp.place('pay_first', 2);
CALL pg_temp.place('pay_first', 4);
SELECT on_hand, reserved, version FROM holdfast.stock WHERE product_id = 9701;
SELECT * FROM pg_temp.sagas;
SELECT * FROM pg_temp.events;
SELECT payload->>'saga' AS saga, payload->>'status' AS status FROM holdfast.outbox WHERE aggregateid = '9700001' AND aggregatetype = 'order-created';
SELECT pg_temp.paid(1, 'sg1', 2000);
SELECT on_hand, reserved FROM holdfast.stock WHERE product_id = 9701;
-- The stock is gone meanwhile: the order fails, the money goes back.
SELECT pg_temp.paid(2, 'sg2', 4000);
SELECT * FROM pg_temp.sagas;
SELECT * FROM pg_temp.steps;
SELECT * FROM pg_temp.events;
SELECT payload->>'failedStep' AS step, payload->>'reason' AS reason, payload->>'message' AS message
FROM holdfast.outbox WHERE aggregateid = '9700002' AND aggregatetype = 'order-failed';
SELECT payment_id, status, reason FROM holdfast.payment WHERE order_id = 9700002;
-- The same through the procedures of an application that calls its payment service itself.
CALL pg_temp.place('pay_first', 3);
CALL holdfast.begin_payment(9700003, payment_id => 'sg3');
CALL holdfast.complete_payment('sg3', 'tx3');
SELECT pg_temp.error($$CALL holdfast.complete_order(9700003)$$);
CALL holdfast.set_product(9703, 'last', 500, on_hand => 1);
CALL pg_temp.place('pay_first', 1, 9703);
CALL holdfast.begin_payment(9700004, payment_id => 'sg4');
CALL holdfast.adjust_stock(9703, -1, 'broken');
CALL holdfast.complete_payment('sg4');
-- Sold out already when it is placed: no money is taken for it.
CALL pg_temp.place('pay_first', 1, 9703);
SELECT * FROM pg_temp.sagas WHERE n > 2;
-- Refused or not, paid or not: what was asked to be undone is undone once.
CALL pg_temp.place('pay_first', 1, 9702);
CALL holdfast.cancel_order(9700006, 'changed my mind');
CALL holdfast.cancel_order(9700006, 'again');
SELECT pg_temp.paid(6, 'sg6', 300);
SELECT payment_id, status, reason FROM holdfast.payment WHERE order_id = 9700006;
SELECT holdfast.on_payment_failed('9700007', '{"orderId":9700007,"paymentId":"sg7","reason":"DECLINED"}', '{}') FROM (SELECT pg_temp.error('CALL pg_temp.place(''pay_first'', 1, 9702)') OFFSET 0) x;
-- Nobody pays: its hold is its deadline, which extend_hold moves.
CALL pg_temp.place('pay_first', 1, 9702);
UPDATE holdfast.orders SET expires_at = now() - interval '1 minute' WHERE order_id = 9700008;
SELECT pg_temp.due(8);
CALL holdfast.extend_hold(9700008, '1 hour') \gset
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT state, deadline > now() + interval '50 minutes' AS extended FROM holdfast.saga WHERE order_id = 9700008;
UPDATE holdfast.orders SET expires_at = now() - interval '1 minute' WHERE order_id = 9700008;
SELECT pg_temp.due(8);
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n >= 6;
SELECT holdfast.expire_holds();

-- Many orders at once follow it as well, each on its own.
CALL holdfast.place_orders('[{"userId":97,"lines":[{"productId":9702,"quantity":1}],"options":{"saga":"pay_first"}},
    {"userId":97,"lines":[{"productId":9702,"quantity":1}]}, {"userId":97,"lines":[{"productId":9702,"quantity":1}],"options":{"saga":"none"}}]') \gset
SELECT r->>'status' AS status, r->>'message' AS message FROM jsonb_array_elements(:'results'::jsonb) r;
SELECT reserved FROM holdfast.stock WHERE product_id = 9702;
-- A batch of payments takes the stock together, first come first served, each order all or nothing.
CALL holdfast.set_product(9704, 'seat', 100, on_hand => 3);
CALL pg_temp.place('pay_first', 2, 9704);
CALL pg_temp.place('pay_first', 2, 9704);
CALL pg_temp.place('pay_first', 1, 9704);
SELECT version AS version_before FROM holdfast.stock WHERE product_id = 9704 \gset
SELECT holdfast.on_payment_completed_batch(NULL, ARRAY[
    '{"orderId":9700011,"paymentId":"sg11","amount":200}', '{"orderId":9700012,"paymentId":"sg12","amount":200}',
    '{"orderId":9700013,"paymentId":"sg13","amount":100}', '{"orderId":9700011,"paymentId":"sg11","amount":200}']::jsonb[], ARRAY['{}', '{}', '{}', '{}']::jsonb[]);
SELECT reserved, version - :version_before AS changes FROM holdfast.stock WHERE product_id = 9704;
SELECT * FROM pg_temp.sagas WHERE n BETWEEN 11 AND 13;
SELECT payload->>'orderId' AS order_id, payload->>'reserved' AS reserved, payload->>'available' AS available, (payload->>'version')::int - :version_before AS version
FROM holdfast.outbox WHERE aggregatetype = 'inventory-updated' AND aggregateid = '9704' AND payload->>'cause' = 'RESERVE' ORDER BY id;

-- The setting decides for those who name none; an unknown one is named.
SET holdfast.saga = 'pay_first';
CALL holdfast.place_order_item(97, 9702, 1) \gset
SELECT saga, state, step FROM holdfast.saga WHERE order_id = :order_id;
RESET holdfast.saga;
SELECT pg_temp.error($$CALL pg_temp.place('nosuch')$$);
SELECT pg_temp.error($$CALL holdfast.place_order_item(97, 9702, 1, NULL, '{"saga": 7}')$$);

-- ---- reserve_first is derived from its rows ---------------------------------------------------
SELECT setval('holdfast.order_id_seq', 9700020) AS base \gset
CALL holdfast.place_order_item(97, 9702, 1) \gset
CALL holdfast.place_order_item(97, 9702, 1) \gset
CALL holdfast.place_order_item(97, 9702, 1) \gset
CALL holdfast.place_order_item(97, 9702, 999) \gset
SELECT pg_temp.paid(22, 'sg22', 300);
CALL holdfast.begin_payment(9700023, payment_id => 'sg23a', amount => 100);
CALL holdfast.complete_payment('sg23a');
CALL holdfast.fail_order(9700023, 'NO') \gset
SELECT * FROM pg_temp.sagas WHERE n BETWEEN 21 AND 24;
SELECT * FROM pg_temp.steps WHERE n BETWEEN 21 AND 24;

-- ---- Stock elsewhere, and orders from elsewhere -----------------------------------------------
SELECT setval('holdfast.order_id_seq', 9700030) AS base \gset
CALL pg_temp.place('reserve_remote', 50);
CALL pg_temp.place('reserve_remote', 1);
SELECT count(*) AS reservations FROM holdfast.reservation WHERE order_id BETWEEN 9700031 AND 9700039;
SELECT holdfast.on_inventory_reserved('9700031', '{"orderId":9700031,"eventType":"InventoryReserved","eventId":"e1"}', '{"id":"e1"}');
-- Paid before it is known to be reserved: it goes on when it is.
SELECT pg_temp.paid(32, 'sg32', 1000);
SELECT * FROM pg_temp.sagas WHERE n IN (31, 32);
SELECT holdfast.on_inventory_reserved('9700032', '{"orderId":9700032,"eventType":"InventoryReserved"}', '{"id":"e2"}');
SELECT pg_temp.paid(31, 'sg31', 50000);
SELECT * FROM pg_temp.sagas WHERE n IN (31, 32);
SELECT * FROM pg_temp.steps WHERE n IN (31, 32);
-- Nobody answers.
CALL pg_temp.place('reserve_remote', 1);
SELECT pg_temp.due(33);
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT status, failure_step, failure_reason, failure_message FROM holdfast.orders WHERE order_id = 9700033;
SELECT holdfast.on_inventory_reserved('9700033', '{"orderId":9700033,"eventType":"InventoryReserved"}', '{}');
SELECT cause, detail FROM holdfast.order_history WHERE order_id = 9700033 ORDER BY at;
-- The other side: orders of another database.
CREATE FUNCTION pg_temp.created(n int, quantity int, product_id bigint DEFAULT 9702, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('orderId', 9700000 + n, 'userId', 8, 'currency', 'KRW', 'originalTotalAmount', 300 * quantity,
        'discountAmount', 0, 'finalTotalAmount', 300 * quantity, 'eventType', 'OrderCreated',
        'lines', jsonb_build_array(jsonb_build_object('productId', product_id, 'quantity', quantity, 'unitPrice', 300))) || more;
$$;
SELECT reserved AS reserved_before FROM holdfast.stock WHERE product_id = 9702 \gset
SELECT holdfast.on_order_failed('9700046', '{"orderId":9700046,"failedStep":"CANCEL","reason":"EARLY"}', '{}');
SELECT holdfast.on_order_created_batch(NULL, ARRAY[pg_temp.created(41, 2), pg_temp.created(42, 999), pg_temp.created(43, 1, 9799),
    pg_temp.created(44, 1, 9702, '{"saga":"pay_first"}'), pg_temp.created(41, 2), pg_temp.created(46, 1)], array_fill('{}'::jsonb, ARRAY[6]));
SELECT * FROM pg_temp.sagas WHERE n BETWEEN 41 AND 46;
SELECT * FROM pg_temp.events WHERE n BETWEEN 41 AND 46;
SELECT reserved - :reserved_before AS taken FROM holdfast.stock WHERE product_id = 9702;
SELECT payload::jsonb - '{eventId,occurredAt,expiresAt}'::text[] AS reserved FROM holdfast.outbox WHERE aggregateid = '9700041' AND aggregatetype = 'inventory-reserved';
SELECT pg_temp.paid(41, 'sg41', 600), pg_temp.paid(44, 'sg44', 300);
SELECT n, state, order_status FROM pg_temp.sagas WHERE n IN (41, 44);
SELECT pg_temp.error(format('SELECT holdfast.on_order_created(NULL, %L, ''{}'')', e)) FROM unnest(ARRAY[
    pg_temp.created(41, 3), pg_temp.created(45, 1) - 'userId', pg_temp.created(45, 1) - 'currency', pg_temp.created(45, 1) - 'finalTotalAmount',
    pg_temp.created(45, 1, 9702, '{"lines":[]}'), pg_temp.created(45, 1, 9702, '{"lines":[{"productId":1}]}'), pg_temp.created(45, 1, 9702, '{"schemaVersion":2}')]) e;

-- ---- A definition of one's own ----------------------------------------------------------------
CREATE SCHEMA saga_test;
CREATE TABLE saga_test.undone (order_id bigint, step text, reason text, attempt int, who text);
CREATE TABLE saga_test.broken (step text);
CREATE FUNCTION saga_test.undo(order_id bigint, context jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM saga_test.broken b WHERE b.step = context->>'step') THEN
        RAISE EXCEPTION 'the carrier does not answer';
    END IF;
    INSERT INTO saga_test.undone VALUES (order_id, context->>'step', context->>'reason', (context->>'attempt')::int, current_user);
END
$$;
CREATE PROCEDURE saga_test.undo_call(order_id bigint, context jsonb) LANGUAGE sql AS $$
    SELECT saga_test.undo(order_id, context);
$$;
\set steps '[{"step":"reserve","kind":"reserve"}, {"step":"check","command":"credit-check","completesOn":"CreditOk","failsOn":"CreditRefused","compensation":"saga_test.undo"}, {"step":"payment","kind":"payment"}, {"step":"shipping","command":"shipping-requested","completesOn":"ShipmentBooked","failsOn":"ShipmentRefused","compensation":"saga_test.undo_call","timeout":"1 hour","onTimeout":"retry","maxAttempts":2}, {"step":"notice","completesOn":"NoticeSent"}]'
SELECT holdfast.register_saga('with_shipping', :'steps');
SELECT holdfast.register_saga('with_shipping', :'steps');
SELECT step_no, step, kind, command, completes_on, fails_on, compensation, timeout, on_timeout, max_attempts FROM holdfast.saga_definition WHERE saga = 'with_shipping' ORDER BY 1;
-- What is wrong with a definition is said.
SELECT pg_temp.error(format('SELECT holdfast.register_saga(%L, %L)', name, steps)) FROM (VALUES
    ('pay_first', '[]'), ('Bad', '[]'), ('x', '[]'), ('x', '{}'), ('x', '[7]'), ('x', '[{"kind":"reserve"}]'), ('x', '[{"step":"a","kind":"wait"}]'),
    ('x', '[{"step":"a"}]'), ('x', '[{"step":"a","completesOn":"A","undo":"f"}]'), ('x', '[{"step":"a","completesOn":"A"},{"step":"a","completesOn":"B"}]'),
    ('x', '[{"step":"a","completesOn":"A","failsOn":"A"}]'), ('x', '[{"step":"a","completesOn":"A"},{"step":"b","completesOn":"A"}]'),
    ('x', '[{"step":"a","completesOn":"A","onTimeout":"retry","timeout":"1s"}]'), ('x', '[{"step":"a","completesOn":"A","onTimeout":"alert"}]'),
    ('x', '[{"step":"a","completesOn":"A","timeout":"soon"}]'), ('x', '[{"step":"a","completesOn":"A","timeout":"-1s"}]'),
    ('x', '[{"step":"a","completesOn":"A","compensation":"saga_test.nosuch"}]'), ('x', '[{"step":"a","completesOn":"A","compensation":"saga_test.undo("}]'), ('x', '[{"step":"a","kind":"reserve"},{"step":"b","kind":"reserve"}]'),
    ('x', '[{"step":"a","kind":"payment","failsOn":"A"}]'), ('x', '[{"step":"a","kind":"reserve","timeout":"1s"}]'),
    ('x', '[{"step":"a","completesOn":"A","maxAttempts":0}]'), ('x', '[{"step":"a","completesOn":"A","pivot":"yes"}]'),
    ('x', '[{"step":"a","completesOn":"A","command":"a b"}]'), ('x', '[{"step":"a","completesOn":7}]'), (NULL, '[]')) AS v(name, steps);

CREATE FUNCTION pg_temp.tell(n int, type text, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT holdfast.on_saga_event((9700000 + n)::text, jsonb_build_object('orderId', 9700000 + n, 'eventType', type) || more, '{}');
$$;
-- Forward.
SELECT setval('holdfast.order_id_seq', 9700050) AS base \gset
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT payload::jsonb - '{eventId,occurredAt}'::text[] AS command FROM holdfast.outbox WHERE aggregateid = '9700051' AND aggregatetype = 'credit-check';
SELECT pg_temp.error('SELECT pg_temp.tell(51, ''ShipmentBooked'')');
SELECT pg_temp.error('SELECT pg_temp.tell(51, ''Whatever'')');
SELECT pg_temp.error('SELECT pg_temp.tell(999, ''CreditOk'')');
SELECT pg_temp.tell(51, 'CreditOk', '{"eventId":"e51"}');
SELECT pg_temp.tell(51, 'CreditOk', '{"eventId":"e51b"}');
SELECT pg_temp.paid(51, 'sg51', 300);
SELECT * FROM pg_temp.sagas WHERE n = 51;
SELECT holdfast.on_saga_event_batch(NULL, ARRAY['{"orderId":9700051,"eventType":"ShipmentBooked"}', '{"orderId":9700051,"eventType":"NoticeSent"}']::jsonb[], ARRAY['{}', '{}']::jsonb[]);
SELECT * FROM pg_temp.sagas WHERE n = 51;
SELECT * FROM pg_temp.steps WHERE n = 51;
SELECT state FROM holdfast.reservation WHERE order_id = 9700051;
-- Back, in reverse order, when a step fails: the one that failed did nothing, stock and money go back at their turn.
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT pg_temp.tell(52, 'CreditOk');
SELECT pg_temp.paid(52, 'sg52', 300);
SELECT pg_temp.tell(52, 'ShipmentRefused', '{"reason":"TOO_HEAVY"}');
SELECT * FROM pg_temp.sagas WHERE n = 52;
SELECT pg_temp.error('CALL holdfast.begin_payment(9700052)');
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n = 52;
SELECT * FROM pg_temp.steps WHERE n = 52;
SELECT * FROM pg_temp.events WHERE n = 52;
SELECT step, reason, attempt, who = session_user AS as_caller FROM saga_test.undone WHERE order_id = 9700052;
-- Cancelled when nobody knows whether it ships: that is undone too, and by the last step on.  A step back that
-- raises is tried again, and said.
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT pg_temp.tell(53, 'CreditOk');
SELECT pg_temp.paid(53, 'sg53', 300);
INSERT INTO saga_test.broken VALUES ('shipping');
CALL holdfast.cancel_order(9700053, 'too late');
CALL holdfast.cancel_order(9700053, 'again');
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT pg_temp.due(53);
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n = 53;
SELECT order_id - 9700000 AS n, saga, order_status, state, step, reason, attempts, last_error FROM holdfast.stuck_sagas WHERE order_id = 9700053;
DELETE FROM saga_test.broken;
CALL holdfast.saga_resolve(9700053, 'retry', 'the carrier is back');
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n = 53;
SELECT * FROM pg_temp.steps WHERE n = 53;
SELECT * FROM pg_temp.events WHERE n = 53;
SELECT step, attempt FROM saga_test.undone WHERE order_id = 9700053;
-- A timeout publishes the command again, then turns back.
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT pg_temp.tell(54, 'CreditOk');
SELECT pg_temp.paid(54, 'sg54', 300);
SELECT pg_temp.due(54);
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n = 54;
SELECT pg_temp.due(54);
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n = 54;
SELECT * FROM pg_temp.steps WHERE n = 54;
SELECT payload->>'attempt' AS attempt, payload->>'idempotencyKey' AS key FROM holdfast.outbox WHERE aggregateid = '9700054' AND aggregatetype = 'shipping-requested' ORDER BY id;
-- What comes then is too late, and noted.
SELECT pg_temp.tell(54, 'ShipmentBooked');
SELECT cause, detail FROM holdfast.order_history WHERE order_id = 9700054 AND cause LIKE '%ignored';
-- Before its order is there, or its step: kept, and tried again; for too long: a dead letter.
SELECT holdfast.inbox_claim('sagas', 'shipments', 0, 0, 'test') AS claim \gset
SELECT outcome, sqlstate, message FROM holdfast.inbox_apply('sagas', 'holdfast.on_saga_event(text,jsonb,jsonb)', 'shipments', 0, 1, 0, 4, '{0,1,2,3}',
    '{9700055,9700055,9700056,9700056}', ARRAY['{"orderId":9700055,"eventType":"CreditOk"}', '{"orderId":9700055,"eventType":"ShipmentBooked"}',
    '{"orderId":9700056,"eventType":"CreditOk"}', '{"orderId":9700056,"eventType":"CreditOk"}'], NULL, ARRAY['{"id":"s0"}', '{"id":"s1"}', '{"id":"s2"}', '{"id":"s3"}']::jsonb[]);
SELECT key, status, sqlstate, message, attempts, parked_behind FROM holdfast.dead_letter WHERE consumer = 'sagas';
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT holdfast.retry_early();
UPDATE holdfast.dead_letter_entry SET due_at = now() WHERE status = 'EARLY';
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT key, status, sqlstate, message, attempts FROM holdfast.dead_letter_entry WHERE consumer = 'sagas' ORDER BY id;
SELECT * FROM pg_temp.sagas WHERE n = 55;
UPDATE holdfast.dead_letter_entry SET due_at = now(), recorded_at = now() - interval '1 hour' WHERE status = 'EARLY';
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT key, status, message, attempts FROM holdfast.dead_letter WHERE consumer = 'sagas';
SELECT payload->>'key' AS key, payload->>'sqlstate' AS sqlstate FROM holdfast.outbox WHERE aggregatetype = 'shipments-dlq' ORDER BY id;
SELECT event_id, outcome FROM holdfast.inbox_seen WHERE consumer = 'sagas' ORDER BY 1;

-- ---- The pivot: past it a saga goes only forward ------------------------------------------------
SELECT holdfast.register_saga('digital', '[{"step":"payment","kind":"payment","pivot":true}, {"step":"deliver","command":"deliver","completesOn":"Delivered","failsOn":"NotDelivered","timeout":"1 min"}]');
SELECT setval('holdfast.order_id_seq', 9700060) AS base \gset
CALL pg_temp.place('digital', 1, 9702);
CALL pg_temp.place('digital', 1, 9702);
SELECT pg_temp.paid(61, 'sg61', 300), pg_temp.paid(62, 'sg62', 300);
SELECT pg_temp.error('CALL holdfast.cancel_order(9700061)');
SELECT holdfast.on_order_failed('9700061', '{"orderId":9700061,"reason":"X"}', '{}');
SELECT pg_temp.tell(61, 'NotDelivered', '{"reason":"MAILBOX_FULL"}');
SELECT pg_temp.due(62);
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT * FROM pg_temp.sagas WHERE n IN (61, 62);
SELECT order_id - 9700000 AS n, state, step, reason, last_error FROM holdfast.stuck_sagas WHERE order_id IN (9700061, 9700062) ORDER BY 1;
SELECT payload::jsonb - '{eventId,occurredAt,since}'::text[] AS alert FROM holdfast.outbox WHERE aggregatetype = 'saga-alerts' AND aggregateid IN ('9700061', '9700062') ORDER BY id;
-- A new version is for new orders; those under way keep theirs.
SELECT holdfast.register_saga('digital', '[{"step":"payment","kind":"payment","pivot":true}, {"step":"wrap","command":"wrap","completesOn":"Wrapped"}, {"step":"deliver","command":"deliver","completesOn":"Delivered"}]') AS version;
SELECT s.order_id - 9700000 AS n, s.version, d.step FROM holdfast.saga s JOIN holdfast.saga_definition d USING (saga, version)
WHERE s.order_id IN (9700061, 9700062) ORDER BY 1, d.step_no;
-- A person decides.
SELECT pg_temp.error('CALL holdfast.saga_resolve(9700061, ''retry'', '''')');
SELECT pg_temp.error('CALL holdfast.saga_resolve(9700061, ''fix'', ''x'')');
SELECT pg_temp.error('CALL holdfast.saga_resolve(9799999, ''retry'', ''x'')');
CALL holdfast.saga_resolve(9700061, 'retry', 'mailbox emptied');
SELECT pg_temp.tell(61, 'Delivered');
CALL holdfast.saga_resolve(9700062, 'skip', 'sent by hand');
SELECT * FROM pg_temp.sagas WHERE n IN (61, 62);
SELECT * FROM pg_temp.steps WHERE n IN (61, 62);
SELECT cause, detail - 'actor' AS detail, detail->>'actor' = session_user AS by_me FROM holdfast.order_history WHERE order_id = 9700062 ORDER BY at;
SELECT pg_temp.error('CALL holdfast.saga_resolve(9700062, ''force_cancel'', ''x'')');
CALL holdfast.saga_resolve(9700062, 'force_complete', 'x');
CALL pg_temp.place('digital', 1, 9702);
SELECT pg_temp.paid(63, 'sg63', 300);
SELECT n, v, step FROM pg_temp.sagas WHERE n = 63;
SELECT pg_temp.tell(63, 'Wrapped'), pg_temp.tell(63, 'Delivered');
SELECT n, v, state FROM pg_temp.sagas WHERE n = 63;
-- Forced: stock that was not taken is taken, or the order cannot be completed; cancelled, stock and money go back.
CALL pg_temp.place('pay_first', 1, 9702);
CALL pg_temp.place('pay_first', 60, 9702);
CALL holdfast.adjust_stock(9702, -50, 'sold over the counter');
CALL holdfast.saga_resolve(9700064, 'force_complete', 'paid in cash');
SELECT pg_temp.error('CALL holdfast.saga_resolve(9700065, ''force_complete'', ''paid in cash'')');
CALL holdfast.saga_resolve(9700065, 'force_cancel', 'no stock');
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT pg_temp.tell(66, 'CreditOk');
SELECT pg_temp.paid(66, 'sg66', 300);
INSERT INTO saga_test.broken VALUES ('shipping');
CALL holdfast.fail_order(9700066) \gset
SELECT holdfast.saga_sweep(100) > 0 AS swept;
SELECT pg_temp.error('CALL holdfast.saga_resolve(9700066, ''force_complete'', ''x'')');
CALL holdfast.saga_resolve(9700066, 'skip', 'carrier says it never had it');
SELECT holdfast.saga_sweep(100) > 0 AS swept;
CALL pg_temp.place('with_shipping', 1, 9702);
SELECT pg_temp.tell(67, 'CreditOk');
SELECT pg_temp.paid(67, 'sg67', 300);
CALL holdfast.cancel_order(9700067) \gset
CALL holdfast.saga_resolve(9700067, 'force_cancel', 'carrier is bankrupt');
SELECT * FROM pg_temp.sagas WHERE n BETWEEN 64 AND 67;
SELECT * FROM pg_temp.steps WHERE n BETWEEN 64 AND 67;
SELECT order_id - 9700000 AS n, status FROM holdfast.payment WHERE order_id IN (9700066, 9700067) ORDER BY 1;
-- reserve_first as well.
CALL holdfast.place_order_item(97, 9702, 1) \gset
CALL holdfast.saga_resolve(9700068, 'retry', 'payment service lost it');
CALL holdfast.saga_resolve(9700068, 'force_complete', 'paid in cash');
CALL holdfast.place_order_item(97, 9702, 1) \gset
CALL holdfast.saga_resolve(9700069, 'force_cancel', 'fraud');
SELECT * FROM pg_temp.events WHERE n IN (68, 69);
-- One timeline, by order and by trace id.
SELECT what, source, detail - 'eventId' AS detail FROM holdfast.trace(9700054) WHERE source IN ('saga', 'order');
SET holdfast.trace_id = 'cart-97';
CALL pg_temp.place('pay_first', 1, 9702);
CALL holdfast.place_order_item(97, 9702, 1) \gset
RESET holdfast.trace_id;
SELECT order_id - 9700000 AS n, source, what FROM holdfast.trace('cart-97');
SELECT holdfast.submit_order(97, '[{"productId":9702,"quantity":1}]') AS trace_id \gset
SELECT holdfast.on_order_request(:'trace_id', payload::jsonb, '{}') FROM holdfast.outbox WHERE aggregateid = :'trace_id';
SELECT order_id IS NOT NULL AS has_order, source, what FROM holdfast.trace(:'trace_id');
SELECT count(*) AS unknown FROM holdfast.trace('nobody');

-- Stock, reservations and orders agree.
SELECT * FROM holdfast.reconcile() WHERE product_id BETWEEN 9701 AND 9704;
SELECT d.outcome FROM holdfast.dead_letter l CROSS JOIN LATERAL holdfast.discard(l.id, 'tidy') d WHERE l.consumer = 'sagas' AND l.status = 'DEAD';
DROP SCHEMA saga_test CASCADE;
DELETE FROM holdfast.saga_definition WHERE NOT built_in;
SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') AS restored \gset

-- Orders that are asked for now and placed when order-request comes back.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(4601, 'tea', 100, on_hand => 3);

CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;

-- The request, its status and its event are one transaction.
BEGIN;
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":1}]') AS gone \gset
ROLLBACK;
SELECT state_of(format('SELECT holdfast.order_status(%L::uuid)', :'gone')) AS never;
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":2}]', 'cart-1', '{"holdSeconds":60}') AS first \gset
SELECT holdfast.order_status(:'first'::uuid) - '{traceId,createdAt,updatedAt}'::text[] AS status;
SELECT o.aggregatetype, o.type, o.aggregateid = :'first' AS keyed,
       o.payload::jsonb - '{eventId,occurredAt,traceId}'::text[] AS payload, o.payload->>'traceId' = :'first' AS traced
FROM holdfast.outbox o WHERE o.aggregateid = :'first';

-- The same key and the same request: the same trace.
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":2}]', 'cart-1', '{"holdSeconds":60}') = :'first' AS same;
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":1}]', 'cart-1');
SELECT holdfast.submit_order(4602, '[{"productId":4601,"quantity":1}]', 'cart-1') = :'first' AS same_of_another_user;

-- What is wrong in itself is an error at once.
SELECT holdfast.submit_order(NULL, '[]');
SELECT holdfast.submit_order(4601, '[]');
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":-1}]');
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":1}]', NULL, '{"orderId":7}');
SELECT holdfast.submit_order(4601, '[{"productId":4601,"quantity":1}]', NULL, '{"traceId":"mine"}');

-- A user's requests are that user's.
SELECT holdfast.order_status(:'first'::uuid, 4601)->>'status' AS status;
SELECT state_of(format('SELECT holdfast.order_status(%L::uuid, 4602)', :'first')) AS of_another_user;

-- It is placed, once.
SELECT payload AS message FROM holdfast.outbox WHERE aggregateid = :'first' \gset
SELECT holdfast.on_order_request('k', :'message', NULL);
SELECT holdfast.on_order_request('k', :'message', NULL);
SELECT holdfast.order_status(:'first'::uuid) - '{traceId,orderId,createdAt,updatedAt}'::text[] AS status,
       (SELECT count(*) FROM holdfast.orders WHERE user_id = 4601) AS orders,
       (SELECT trace_id FROM holdfast.orders WHERE user_id = 4601) = :'first' AS traced;
SELECT available FROM holdfast.availability(ARRAY[4601]);

-- A batch: one more is there; the rest are refused, each with its order and its event.
SELECT array_agg(holdfast.submit_order(4610 + n, '[{"productId":4601,"quantity":1}]') ORDER BY n) AS traces FROM generate_series(1, 3) n \gset
SET holdfast.dead_letter_refusals = on;
SELECT holdfast.on_order_request_batch(array_agg(o.aggregateid ORDER BY o.id), array_agg(o.payload::jsonb ORDER BY o.id),
                                       array_agg('{"id":"x"}'::jsonb))
FROM holdfast.outbox o WHERE o.aggregatetype = 'order-request' AND o.aggregateid = ANY (:'traces'::text[]);
RESET holdfast.dead_letter_refusals;
SELECT t.n, holdfast.order_status(t.id) - '{traceId,orderId,userId,createdAt,updatedAt}'::text[] AS status
FROM unnest(:'traces'::uuid[]) WITH ORDINALITY AS t(id, n) ORDER BY 1;
SELECT o.aggregatetype, o.type, o.payload->>'reason' AS reason, o.payload->>'errorClass' AS class, o.payload->>'message' AS message
FROM holdfast.outbox o
WHERE o.aggregatetype IN ('order-failed', 'order-request-dlq')
  AND (o.aggregateid = ANY (:'traces'::text[]) OR o.payload->>'traceId' = ANY (:'traces'::text[])) ORDER BY 1, o.id;

-- A message that cannot be understood, or is wrong, raises.
SELECT holdfast.on_order_request('k', '[]', NULL);
SELECT holdfast.on_order_request('k', '{"traceId":"7"}', NULL);
SELECT holdfast.on_order_request('k', '{"traceId":"00000000-0000-4000-8000-000000004601","userId":1,"schemaVersion":2}', NULL);
SELECT holdfast.on_order_request('k', '{"traceId":"00000000-0000-4000-8000-000000004601","userId":1}', NULL);
SELECT holdfast.on_order_request('k', '{"traceId":"00000000-0000-4000-8000-000000004601","userId":1,"lines":[{"productId":4699,"quantity":1}]}', NULL);
SELECT holdfast.on_order_request('k', format('{"traceId":"%s","userId":1,"lines":[{"productId":4601,"quantity":1}]}', :'first')::jsonb, NULL);
SELECT holdfast.submit_order(4620, '[{"productId":4601,"quantity":1}]') AS mine \gset
SELECT state_of(format('SELECT holdfast.on_order_request(''k'', ''{"traceId":"%s","userId":1,"lines":[{"productId":4601,"quantity":1}]}'', NULL)', :'mine')) AS of_another_user;

-- Through the inbox it becomes a dead letter, the request is FAILED, and its neighbour is placed.
CALL holdfast.restock(4601, 5, 'delivery');
SELECT holdfast.submit_order(4621, '[{"productId":4698,"quantity":1}]') AS wrong \gset
SELECT next_offset, owner_epoch FROM holdfast.inbox_claim('requests', 'order-request', 0, 0, 'test') \gset
SELECT kafka_offset, outcome, sqlstate, message
FROM holdfast.inbox_apply('requests', 'holdfast.on_order_request(text,jsonb,jsonb)', 'order-request', 0, :owner_epoch, 0, 2, '{0,1}',
    ARRAY[:'wrong', :'mine'],
    ARRAY[(SELECT payload::text FROM holdfast.outbox WHERE aggregateid = :'wrong'), (SELECT payload::text FROM holdfast.outbox WHERE aggregateid = :'mine' AND type = 'OrderRequested')],
    NULL, ARRAY[NULL, NULL]::jsonb[]);
SELECT holdfast.order_status(:'wrong'::uuid) - '{traceId,createdAt,updatedAt}'::text[] AS status;
SELECT holdfast.order_status(:'mine'::uuid)->>'status' AS status;

-- One that an application published itself has an answer too, when it says whose it is.
SELECT kafka_offset, outcome, sqlstate, message
FROM holdfast.inbox_apply('requests', 'holdfast.on_order_request(text,jsonb,jsonb)', 'order-request', 0, :owner_epoch, 2, 4, '{2,3}',
    ARRAY['4602', '4603'],
    ARRAY['{"traceId":"00000000-0000-4000-8000-000000004602","userId":4622,"lines":[{"productId":4601,"quantity":"one"}]}',
          '{"traceId":"00000000-0000-4000-8000-000000004603","lines":[{"productId":4601,"quantity":1}]}'],
    NULL, ARRAY[NULL, NULL]::jsonb[]);
SELECT holdfast.order_status('00000000-0000-4000-8000-000000004602'::uuid, 4622) - '{traceId,createdAt,updatedAt}'::text[] AS status;
SELECT holdfast.order_status('00000000-0000-4000-8000-000000004603'::uuid);
SELECT d.status, d.key, x.outcome FROM holdfast.dead_letter d CROSS JOIN LATERAL holdfast.discard(d.id, 'a test') x
WHERE d.topic = 'order-request' AND d.key IN ('4602', '4603') ORDER BY d.id;

-- After the cause is mended, a redrive places it.
CALL holdfast.set_product(4698, 'cup', 10, on_hand => 1);
SELECT id AS letter FROM holdfast.dead_letter WHERE topic = 'order-request' AND key = :'wrong' \gset
SELECT outcome FROM holdfast.redrive(:letter);
SELECT holdfast.order_status(:'wrong'::uuid) - '{traceId,orderId,createdAt,updatedAt}'::text[] AS status;
DELETE FROM holdfast.inbox_offset WHERE consumer = 'requests';
DROP FUNCTION state_of;

-- What an order costs: list prices, or what the user's function says; and what the buyer expects.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL holdfast.set_product(4801, 'tea', 100, on_hand => 1000);
CALL holdfast.set_product(4802, 'cup', 7, on_hand => 1000);
CALL holdfast.set_product(4803, 'book', 900, 'EUR', on_hand => 1000);
CREATE ROLE regress_price_app LOGIN;
CREATE ROLE regress_price_relay LOGIN;
CREATE ROLE regress_price_shop LOGIN;
SELECT holdfast.grant_app('regress_price_app');
SELECT holdfast.grant_relay('regress_price_relay');
CREATE SCHEMA regress_price;
CREATE TABLE regress_price.asked (n serial, as_user name, of_session name, question jsonb);
GRANT USAGE, CREATE ON SCHEMA regress_price TO regress_price_app, regress_price_relay, regress_price_shop;
GRANT INSERT ON regress_price.asked TO PUBLIC;
GRANT USAGE ON SEQUENCE regress_price.asked_n_seq TO PUBLIC;
CREATE VIEW regress_price.placed AS
    SELECT o.user_id, o.status, o.original_total_amount AS original, o.discount_amount AS discount, o.final_total_amount AS final,
           (SELECT string_agg(concat_ws(' ', l.quantity, 'x', l.product_id, 'at', l.unit_price, '-' || nullif(l.discount_amount, 0)), ', ' ORDER BY l.line_no)
            FROM holdfast.order_line l WHERE l.order_id = o.order_id) AS lines
    FROM holdfast.orders o WHERE o.user_id BETWEEN 4801 AND 4849;

-- Without a function it is price times quantity; the function that says the same says the same.
SHOW holdfast.price_order;
CALL holdfast.place_order(4801, '[{"productId": 4801, "quantity": 3}, {"productId": 4802, "quantity": 2}]') \gset
SELECT * FROM regress_price.placed WHERE user_id = 4801;
SELECT holdfast.price_order('{"lines": [{"productId": 4801, "quantity": 3, "unitPrice": 100}, {"productId": 4802, "quantity": 2, "unitPrice": 7}]}');
SET holdfast.price_order = 'holdfast.price_order';
CALL holdfast.place_order(4802, '[{"productId": 4801, "quantity": 3}, {"productId": 4802, "quantity": 2}]') \gset
SELECT * FROM regress_price.placed WHERE user_id = 4802;

-- One of the shop's: what it is asked, and where its answer is seen.
CREATE FUNCTION regress_price.price("order" jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO regress_price.asked (as_user, of_session, question) VALUES (current_user, session_user, "order");
    RETURN coalesce(nullif(current_setting('regress_price.answer', true), ''), '{}');
END $$;
GRANT EXECUTE ON FUNCTION regress_price.price TO regress_price_app, regress_price_relay;
REVOKE EXECUTE ON FUNCTION regress_price.price FROM PUBLIC;
ALTER ROLE regress_price_app SET holdfast.price_order = 'regress_price.price';
ALTER ROLE regress_price_relay SET holdfast.price_order = 'regress_price.price';
SET holdfast.price_order = 'regress_price.price';
SET regress_price.answer = '{"lines": [{"productId": 4801, "unitPrice": 90, "discountAmount": 20}], "discountAmount": 4, "currency": "KRW"}';
CALL holdfast.place_order(4803, '[{"productId": 4801, "quantity": 3}, {"productId": 4802, "quantity": 2}]',
    options => '{"pricingContext": {"tier": "gold", "ages": [3, 4.50, null, true, {"a": "\u00e9"}]}}') \gset
SELECT question FROM regress_price.asked ORDER BY n DESC LIMIT 1;
SELECT * FROM regress_price.placed WHERE user_id = 4803;
SELECT :'detail'::jsonb - 'expiresAt' - 'durability' AS detail;
SELECT o.payload->'lines' AS lines, o.payload->>'originalTotalAmount' AS original, o.payload->>'discountAmount' AS discount, o.payload->>'finalTotalAmount' AS final
FROM holdfast.outbox o WHERE o.aggregateid = :'order_id' AND o.aggregatetype = 'order-created';
SELECT o.payload->>'amount' AS amount FROM holdfast.outbox o WHERE o.aggregateid = :'order_id' AND o.aggregatetype = 'inventory-reserved';
SELECT s->>'originalTotalAmount' AS original, s->>'discountAmount' AS discount, s->>'finalTotalAmount' AS final, s->'lines' AS lines, s ? 'coupons' AS coupons
FROM holdfast.order_status(:order_id) s;
CALL holdfast.begin_payment(:order_id, payment_id => 'price-1') \gset
SELECT amount FROM holdfast.payment WHERE payment_id = 'price-1';
CALL holdfast.complete_payment('price-1') \gset
SELECT o.payload->>'status' AS status, o.payload->>'originalTotalAmount' AS original, o.payload->>'discountAmount' AS discount, o.payload->>'finalTotalAmount' AS final
FROM holdfast.outbox o WHERE o.aggregateid = :'order_id' AND o.aggregatetype = 'order-events';
-- All of it may be given away.
SET regress_price.answer = '{"discountAmount": 7}';
CALL holdfast.place_order_item(4804, 4802, 1) \gset
SELECT * FROM regress_price.placed WHERE user_id = 4804;
CALL holdfast.complete_order(:order_id) \gset
-- An answer that says nothing leaves the list prices.
SET regress_price.answer = '{}';
CALL holdfast.place_order_item(4804, 4801, 1) \gset
SELECT :'detail'::jsonb->'finalTotalAmount' AS final;

-- A repetition does not ask again, whatever the answer would be now.
CALL holdfast.place_order_item(4805, 4801, 1, 'once') \gset
SELECT count(*) AS asked FROM regress_price.asked \gset
SET regress_price.answer = 'null';
CALL holdfast.place_order_item(4805, 4801, 1, 'once') \gset
SELECT :'detail'::jsonb->'replayed' AS replayed, count(*) - :asked AS asked_again FROM regress_price.asked;
CALL holdfast.place_order_item(4805, 4801, 1, 'once', '{"pricingContext": {"tier": "gold"}}');

-- What is no price.
CREATE FUNCTION regress_price.try(answer text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    order_id bigint; status text; detail jsonb;
BEGIN
    PERFORM set_config('regress_price.answer', answer, true);
    CALL holdfast.place_order(4806, '[{"productId": 4801, "quantity": 3}, {"productId": 4802, "quantity": 2}]', NULL, NULL, order_id, status, detail);
    RETURN status;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT a, regress_price.try(a) FROM unnest(ARRAY[
    'null', '[]', '{"discount": 3}', '{"discountAmount": -1}', '{"discountAmount": 1.5}', '{"discountAmount": "3"}',
    '{"discountAmount": 315}', '{"discountAmount": 314}', '{"discountAmount": 9223372036854775808}',
    '{"currency": "EUR"}', '{"currency": null}', '{"lines": {}}', '{"lines": [1]}', '{"lines": [{}]}',
    '{"lines": [{"productId": 4803}]}', '{"lines": [{"productId": 4801}, {"productId": 4801}]}',
    '{"lines": [{"productId": 4801, "unitPrice": -1}]}', '{"lines": [{"productId": 4801, "unitPrice": 9.9}]}',
    '{"lines": [{"productId": 4801, "quantity": 2}]}', '{"lines": [{"productId": 4801, "quantity": 3, "price": 2}]}',
    '{"lines": [{"productId": 4801, "discountAmount": 301}]}', '{"lines": [{"productId": 4801, "discountAmount": 300}], "discountAmount": 15}',
    '{"lines": [{"productId": 4801, "unitPrice": 3074457345618258603}]}',
    '{"lines": [{"productId": 4801, "unitPrice": 3074457345618258602}, {"productId": 4802, "unitPrice": 0}]}'
    ]) WITH ORDINALITY AS t(a, n) ORDER BY n;
SELECT * FROM regress_price.placed WHERE user_id = 4806 ORDER BY final;

-- What is no function, or not one for this role.
CREATE FUNCTION regress_price.text_price("order" jsonb) RETURNS text LANGUAGE sql AS 'SELECT ''{}''';
CREATE FUNCTION regress_price.prices("order" jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT ''{}''::jsonb';
CREATE FUNCTION regress_price.no_answer("order" jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION regress_price.refuses("order" jsonb) RETURNS jsonb LANGUAGE plpgsql AS
    $$ BEGIN IF "order"->'userId' = '4808' THEN RAISE 'user % is blocked', "order"->'userId' USING ERRCODE = 'SHOP1'; END IF; RETURN '{"discountAmount": 1}'; END $$;
SET holdfast.price_order = 'price';
CALL holdfast.place_order_item(4807, 4801, 1);
SET holdfast.price_order = 'regress_price.nowhere';
CALL holdfast.place_order_item(4807, 4801, 1);
SET holdfast.price_order = 'regress_price.text_price';
CALL holdfast.place_order_item(4807, 4801, 1);
SET holdfast.price_order = 'regress_price.prices';
CALL holdfast.place_order_item(4807, 4801, 1);
SET holdfast.price_order = 'regress_price.no_answer';
CALL holdfast.place_order_item(4807, 4801, 1);
SELECT count(*) FROM regress_price.placed WHERE user_id = 4807;

-- Its own errors come through; in a batch they are one order's.
SET holdfast.price_order = 'regress_price.refuses';
CALL holdfast.place_order_item(4808, 4801, 1);
\echo :SQLSTATE
CALL holdfast.place_orders('[{"userId": 4807, "lines": [{"productId": 4801, "quantity": 1}]},
    {"userId": 4808, "lines": [{"productId": 4801, "quantity": 1}]},
    {"userId": 4809, "lines": [{"productId": 4803, "quantity": 1}]}]') \gset
SELECT e.n, e.r->>'status' AS status, e.r->>'sqlstate' AS sqlstate, e.r->>'message' AS message, e.r->'detail'->>'finalTotalAmount' AS final
FROM jsonb_array_elements(:'results') WITH ORDINALITY AS e(r, n) ORDER BY 1;
SELECT * FROM regress_price.placed WHERE user_id BETWEEN 4807 AND 4809 ORDER BY 1;
SET holdfast.price_order = 'regress_price.nowhere';
CALL holdfast.place_orders('[{"userId": 4807, "lines": [{"productId": 4801, "quantity": 1}]}]');
RESET holdfast.price_order;

-- Whose rights it has: the session's role, whatever stands between; and never the extension's owner.
TRUNCATE regress_price.asked;
RESET regress_price.answer;
\c - regress_price_app
\set VERBOSITY terse
\set SHOW_CONTEXT never
SHOW holdfast.price_order;
SET holdfast.price_order = '';
CALL holdfast.place_order_item(4810, 4801, 1) \gset
CALL holdfast.place_orders('[{"userId": 4810, "lines": [{"productId": 4801, "quantity": 1}]}]') \gset
SELECT holdfast.submit_order(4810, '[{"productId": 4801, "quantity": 1}]', options => '{"expectedTotalAmount": 99}') AS submitted \gset
\c - regress_price_relay
SELECT next_offset FROM holdfast.inbox_claim('price', 'order-request', 0, 0, 'me');
SELECT outcome FROM holdfast.inbox_apply('price', 'holdfast.on_order_request(text,jsonb,jsonb)', 'order-request', 0, 1, 0, 1, '{0}', '{k}',
    ARRAY[jsonb_build_object('traceId', :'submitted'::text, 'userId', 4810, 'lines', '[{"productId": 4801, "quantity": 1}]'::jsonb, 'options', '{"expectedTotalAmount": 99}'::jsonb)::text], NULL, '{NULL}');
\c - postgres
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET holdfast.price_order = 'regress_price.price';
CREATE FUNCTION regress_price.buy() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(4810, 4801, 1, NULL, NULL, order_id, status, detail);
    RETURN status;
END $$;
ALTER FUNCTION regress_price.buy OWNER TO regress_price_shop;
SELECT holdfast.grant_app('regress_price_shop');
SET ROLE regress_price_app;
SELECT regress_price.buy();
RESET ROLE;
SELECT as_user, of_session FROM regress_price.asked ORDER BY n;
SELECT holdfast.order_status(:'submitted'::uuid) - '{traceId,createdAt,updatedAt,orderId}'::text[];
ALTER FUNCTION regress_price.price SECURITY DEFINER;
SELECT regress_price.try('{}');
ALTER FUNCTION regress_price.price OWNER TO regress_price_shop;
SELECT regress_price.try('{}');
SELECT as_user FROM regress_price.asked ORDER BY n DESC LIMIT 2;
GRANT holdfast_owner TO postgres;
ALTER FUNCTION regress_price.price OWNER TO holdfast_owner;
SELECT regress_price.try('{}');
REVOKE holdfast_owner FROM postgres;
ALTER FUNCTION regress_price.price OWNER TO postgres;
ALTER FUNCTION regress_price.price SECURITY INVOKER;
SET ROLE regress_price_shop;
SELECT regress_price.buy();
RESET ROLE;
REVOKE USAGE ON SCHEMA regress_price FROM regress_price_app;
SET ROLE regress_price_app;
CALL holdfast.place_orders('[{"userId": 4811, "lines": [{"productId": 4801, "quantity": 1}]}]');
\echo :SQLSTATE
RESET ROLE;

-- Nor does it lay a path for those rights: what it sets is set back before they are used again.
GRANT USAGE ON SCHEMA regress_price TO PUBLIC;
CREATE FUNCTION regress_price.trap(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped %', current_user; END $$;
CREATE OPERATOR regress_price.= (LEFTARG = bigint, RIGHTARG = bigint, PROCEDURE = regress_price.trap);
CREATE FUNCTION regress_price.paves("order" jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'regress_price, pg_catalog', false), set_config('search_path', 'regress_price, pg_catalog', true);
    RETURN '{}';
END $$;
CREATE FUNCTION regress_price.climbs("order" jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    SET ROLE holdfast_owner;
    RETURN '{}';
END $$;
SET holdfast.price_order = 'regress_price.paves';
BEGIN;
CALL holdfast.place_order_item(4811, 4801, 1, 'paved') \gset
SELECT :'status' AS status, current_setting('search_path') AS path, current_user AS as_user;
COMMIT;
CALL holdfast.place_orders('[{"userId": 4811, "lines": [{"productId": 4801, "quantity": 1}]}]') \gset
SELECT :'results'::jsonb->0->>'status' AS status, current_setting('search_path') AS path;
SET holdfast.price_order = 'regress_price.climbs';
CALL holdfast.place_order_item(4811, 4801, 1);
CALL holdfast.place_orders('[{"userId": 4811, "lines": [{"productId": 4801, "quantity": 1}]}]');
RESET holdfast.price_order;
SELECT current_user = session_user AS still_me;

-- The price that the buyer has seen.
CALL holdfast.place_order_item(4812, 4801, 2, NULL, '{"expectedTotalAmount": 200}') \gset
SELECT :'status' AS status;
SELECT reserved AS reserved_before FROM holdfast.stock WHERE product_id = 4801 \gset
CALL holdfast.place_order_item(4812, 4801, 2, 'seen', '{"expectedTotalAmount": 199}') \gset
SELECT :'status' AS status, :'detail'::jsonb - 'durability' AS detail;
SELECT status, final_total_amount, failure_step, failure_reason, failure_message FROM holdfast.orders WHERE order_id = :order_id;
SELECT o.type, o.payload - '{eventId,occurredAt,orderId}'::text[] AS payload FROM (SELECT type, id, payload::jsonb FROM holdfast.outbox WHERE aggregateid = :'order_id') o ORDER BY o.id;
SELECT holdfast.order_status(:order_id)->'timeline'->0->>'status' AS timeline, (SELECT what FROM holdfast.trace(:order_id) WHERE source = 'order') AS trace;
CALL holdfast.place_order_item(4812, 4801, 2, 'seen', '{"expectedTotalAmount": 199}') \gset
SELECT :'status' AS status, :'detail'::jsonb->'replayed' AS replayed;
CALL holdfast.place_order_item(4812, 4801, 2, 'seen', '{"expectedTotalAmount": 200}');
CALL holdfast.place_orders('[{"userId": 4812, "lines": [{"productId": 4801, "quantity": 1}], "options": {"expectedTotalAmount": 100}},
    {"userId": 4812, "lines": [{"productId": 4801, "quantity": 1}], "options": {"expectedTotalAmount": 101}},
    {"userId": 4812, "lines": [{"productId": 4801, "quantity": 1}], "options": {"expectedTotalAmount": -1}}]') \gset
SELECT e.n, e.r->>'status' AS status, coalesce(e.r->>'message', e.r->'detail'->>'reason') AS why
FROM jsonb_array_elements(:'results') WITH ORDINALITY AS e(r, n) ORDER BY 1;
SELECT reserved - :reserved_before AS taken FROM holdfast.stock WHERE product_id = 4801;
CREATE FUNCTION pg_temp.live_objects() RETURNS bigint LANGUAGE C AS '$libdir/holdfast', 'holdfast_probe_live_objects';
SELECT pg_temp.live_objects();
SET holdfast.record_refusals = off;
CALL holdfast.place_order_item(4813, 4801, 2, NULL, '{"expectedTotalAmount": 0}') \gset
SELECT :'status' AS status, :{?order_id} AS has_id, (SELECT count(*) FROM holdfast.orders WHERE user_id = 4813) AS recorded;
SELECT count(*) FROM holdfast.reconcile() WHERE product_id BETWEEN 4801 AND 4803;

DROP SCHEMA regress_price CASCADE;
DROP OWNED BY regress_price_app, regress_price_relay, regress_price_shop;
DROP ROLE regress_price_app, regress_price_relay, regress_price_shop;

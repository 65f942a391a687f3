-- Bad input: each kind its own SQLSTATE and message, and nothing is written.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;

INSERT INTO holdfast.product (product_id, name, unit_price, currency) VALUES
    (1101, 'tea', 10000, 'KRW'), (1102, 'cup', 25, 'EUR'), (1103, 'gold', 9223372036854775807, 'KRW'),
    (1104, 'silver', 4611686018427387904, 'KRW'), (1105, 'salt', 1, 'KRW');
INSERT INTO holdfast.stock (product_id, on_hand) VALUES
    (1101, 100), (1102, 100), (1103, 100), (1104, 100), (1105, 0);
SELECT count(*) AS orders FROM holdfast.orders \gset before_

-- What a call written as text raises.
CREATE FUNCTION pg_temp.raises(call text, OUT state text, OUT message text, OUT detail text, OUT hint text)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    state := 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE FUNCTION pg_temp.lines(VARIADIC lines text[]) RETURNS TABLE (lines text, state text, message text, hint text)
    LANGUAGE sql AS $$
    SELECT l, r.state, r.message, r.hint
    FROM unnest(lines) WITH ORDINALITY AS l(l, n), pg_temp.raises(format('CALL holdfast.place_order(1, %L)', l)) AS r ORDER BY n
$$;
CREATE FUNCTION pg_temp.item(VARIADIC arguments text[]) RETURNS TABLE (arguments text, state text, message text, hint text)
    LANGUAGE sql AS $$
    SELECT a, r.state, r.message, r.hint
    FROM unnest(arguments) WITH ORDINALITY AS a(a, n), pg_temp.raises(format('CALL holdfast.place_order_item(%s)', a)) AS r ORDER BY n
$$;
CREATE FUNCTION pg_temp.options(VARIADIC options text[]) RETURNS TABLE (options text, state text, message text, hint text)
    LANGUAGE sql AS $$
    SELECT o, r.state, r.message, r.hint
    FROM unnest(options) WITH ORDINALITY AS o(o, n),
         pg_temp.raises(format('CALL holdfast.place_order_item(1, 1101, 1, NULL, %L)', o)) AS r ORDER BY n
$$;

-- Nulls.
SELECT * FROM pg_temp.raises($$CALL holdfast.place_order(NULL, '[{"productId":1101,"quantity":1}]')$$);
SELECT * FROM pg_temp.raises($$CALL holdfast.place_order(1, NULL)$$);
SELECT * FROM pg_temp.item(
    $$NULL, 1101, 1$$,
    $$1, NULL, 1$$,
    $$1, 1101, NULL$$);
SELECT * FROM pg_temp.lines(
    '[{"productId":null,"quantity":1}]',
    '[{"productId":1101,"quantity":null}]');

-- Shape.
SELECT * FROM pg_temp.lines(
    '[]',
    'null',
    '{"productId":1101,"quantity":1}',
    '"text"',
    '[1]',
    '[[{"productId":1101,"quantity":1}]]',
    '[{"productId":1101,"quantity":1},{}]',
    '[{"productId":1101}]',
    '[{"productId":"1101","quantity":1}]',
    '[{"productId":1101,"quantity":true}]',
    '[{"productId":1101,"quantity":1.5}]',
    '[{"productId":1101,"quantity":{"a":1}}]',
    '[{"productId":1101,"quantity":[1]}]',
    '[{"productId":1101,"quantity":1,"price":1}]');
SELECT state, message FROM pg_temp.raises(format('CALL holdfast.place_order(1, %L)',
    (SELECT jsonb_agg('{"productId":1101,"quantity":1}'::jsonb) FROM generate_series(1, 1001))));

-- Quantity.
SELECT * FROM pg_temp.lines(
    '[{"productId":1101,"quantity":0}]',
    '[{"productId":1101,"quantity":-1}]');
SELECT * FROM pg_temp.item(
    $$1, 1101, 0$$,
    $$1, 1101, -5$$);

-- Overflow, of one number, of the sum and of the amount.
SELECT * FROM pg_temp.lines(
    '[{"productId":1101,"quantity":9223372036854775808}]',
    '[{"productId":99999999999999999999999,"quantity":1}]',
    '[{"productId":1101,"quantity":9223372036854775807},{"productId":1101,"quantity":1}]');
SELECT * FROM pg_temp.item(
    $$1, 1103, 2$$);
SELECT * FROM pg_temp.lines(
    '[{"productId":1103,"quantity":1},{"productId":1101,"quantity":1}]',
    '[{"productId":1104,"quantity":1},{"productId":1103,"quantity":1}]');

-- Unknown product, currencies that differ.
SELECT * FROM pg_temp.item($$1, 1199, 1$$);
SELECT * FROM pg_temp.lines(
    '[{"productId":1101,"quantity":1},{"productId":1199,"quantity":1}]',
    '[{"productId":1101,"quantity":1},{"productId":1102,"quantity":1}]');
SELECT detail FROM pg_temp.raises($$CALL holdfast.place_order(1, '[{"productId":1101,"quantity":1},{"productId":1102,"quantity":1}]')$$);

-- Idempotency keys.
SELECT * FROM pg_temp.item(
    $$1, 1101, 1, ''$$,
    $$1, 1101, 1, repeat('k', 256)$$);

-- Options.
SELECT * FROM pg_temp.options(
    '[]',
    '1',
    '{"holdseconds":1}',
    '{"holdSeconds":0}',
    '{"holdSeconds":2592001}',
    '{"holdSeconds":"60"}',
    '{"holdSeconds":{"a":1}}',
    '{"orderId":null}',
    '{"orderId":-1}',
    '{"traceId":""}',
    '{"traceId":"a b"}',
    '{"orderId":9000000000000000000}');
DO $$
DECLARE
    id bigint := holdfast.next_order_id();
    order_id bigint; status text; detail jsonb;
BEGIN
    CALL holdfast.place_order_item(1, 1101, 1, NULL, jsonb_build_object('orderId', id), order_id, status, detail);
    BEGIN
        CALL holdfast.place_order_item(1, 1101, 1, NULL, jsonb_build_object('orderId', id), order_id, status, detail);
    EXCEPTION WHEN SQLSTATE 'HF009' THEN
        RAISE WARNING '%', replace(SQLERRM, id::text, 'N');
    END;
END
$$;

-- A transaction that may not write.
SET default_transaction_read_only = on;
CALL holdfast.place_order_item(1, 1101, 1);
RESET default_transaction_read_only;

-- Only the one good order of above was written.
SELECT count(*) - :before_orders AS new_orders FROM holdfast.orders;
SELECT product_id, reserved FROM holdfast.stock WHERE product_id BETWEEN 1101 AND 1105 ORDER BY 1;

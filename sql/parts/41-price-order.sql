-- Part 41: what an order costs.  place_order prices it in C++ (extension/src/core/pricing.cpp); when the
-- setting holdfast.price_order names a function, that one is asked, with the rights of the session's role.

CREATE FUNCTION holdfast.price_order("order" jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'lines', jsonb_agg(jsonb_build_object('productId', l.line->'productId', 'unitPrice', l.line->'unitPrice')
                                  ORDER BY l.n),
               'discountAmount', 0)
    FROM jsonb_array_elements("order"->'lines') WITH ORDINALITY AS l(line, n);
END;
COMMENT ON FUNCTION holdfast.price_order(jsonb) IS
    'The price of an order when holdfast.price_order names no function: list prices, no discount. A model for functions of your own, which may call it: from {"userId","currency","lines":[{"productId","quantity","unitPrice"}],"originalTotalAmount","coupons":["..."],"context":{...}} to {"lines":[{"productId","unitPrice","discountAmount"}],"discountAmount"}.';

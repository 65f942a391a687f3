-- The same order logic as one PL/pgSQL function, written as a careful user would: the same tables,
-- events and inserts, an unlocked look first, the conditional update last, and an ordinary commit.
CREATE SCHEMA bench;

CREATE FUNCTION bench.place_order_item(p_user_id bigint, p_product_id bigint, p_quantity bigint,
    OUT order_id bigint, OUT status text, OUT detail jsonb)
    LANGUAGE plpgsql AS $$
DECLARE
    price bigint;
    product_currency text;
    stock_mode text;
    in_stock bigint;
    amount bigint;
    now_at timestamptz := clock_timestamp();
    hold_until timestamptz := now_at + coalesce(current_setting('holdfast.hold_ttl', true), '15min')::interval;
    trace text := nullif(current_setting('holdfast.trace_id', true), '');
    parent text := nullif(current_setting('holdfast.traceparent', true), '');
    event_headers json := CASE WHEN parent IS NOT NULL THEN json_build_object('traceparent', parent) END;
    event_id uuid;
    stock_now holdfast.stock;
BEGIN
    IF p_user_id IS NULL OR p_product_id IS NULL OR p_quantity IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'argument must not be null';
    END IF;
    IF p_quantity <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF003', MESSAGE = 'quantity must be positive';
    END IF;
    SELECT p.unit_price, p.currency, s.mode, s.on_hand - s.reserved - s.safety_stock
    INTO price, product_currency, stock_mode, in_stock
    FROM holdfast.product p JOIN holdfast.stock s USING (product_id) WHERE p.product_id = p_product_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF002', MESSAGE = format('product %s does not exist', p_product_id);
    END IF;
    IF in_stock < p_quantity THEN
        status := 'FAILED';
        detail := jsonb_build_object('reason', 'OUT_OF_STOCK', 'lines', jsonb_build_array(jsonb_build_object(
            'productId', p_product_id, 'requested', p_quantity, 'available', in_stock)));
        RETURN;
    END IF;
    amount := price * p_quantity;
    order_id := nextval('holdfast.order_id_seq');
    status := 'PENDING';

    INSERT INTO holdfast.orders (order_id, user_id, status, currency, original_total_amount, final_total_amount,
                                 trace_id, traceparent, created_at, updated_at, expires_at)
    VALUES (order_id, p_user_id, status, product_currency, amount, amount, trace, parent, now_at, now_at, hold_until);
    INSERT INTO holdfast.order_line (order_id, line_no, product_id, quantity, unit_price)
    VALUES (order_id, 1, p_product_id, p_quantity, price);
    INSERT INTO holdfast.reservation (order_id, product_id, quantity, state, expires_at, created_at, updated_at)
    VALUES (order_id, p_product_id, p_quantity, 'HELD', hold_until, now_at, now_at);

    event_id := holdfast.uuid_v7();
    INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload, headers, created_at)
    VALUES (event_id, 'order-created', order_id::text, 'OrderCreated', json_build_object(
        'eventId', event_id, 'eventType', 'OrderCreated', 'schemaVersion', 1,
        'occurredAt', to_char(now_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'orderId', order_id, 'userId', p_user_id,
        'lines', json_build_array(json_build_object('productId', p_product_id, 'quantity', p_quantity, 'unitPrice', price)),
        'originalTotalAmount', amount, 'discountAmount', 0, 'finalTotalAmount', amount,
        'currency', product_currency, 'status', status), event_headers, now_at);
    event_id := holdfast.uuid_v7();
    INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload, headers, created_at)
    VALUES (event_id, 'inventory-reserved', order_id::text, 'InventoryReserved', json_build_object(
        'eventId', event_id, 'eventType', 'InventoryReserved', 'schemaVersion', 1,
        'occurredAt', to_char(now_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'orderId', order_id, 'userId', p_user_id,
        'lines', json_build_array(json_build_object('productId', p_product_id, 'quantity', p_quantity)),
        'amount', amount, 'currency', product_currency,
        'expiresAt', to_char(hold_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), event_headers, now_at);

    UPDATE holdfast.stock s SET reserved = s.reserved + p_quantity, version = s.version + 1, updated_at = clock_timestamp()
    WHERE s.product_id = p_product_id AND s.on_hand - s.reserved - s.safety_stock >= p_quantity
    RETURNING * INTO stock_now;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF022', MESSAGE = 'out of stock';
    END IF;
    event_id := holdfast.uuid_v7();
    now_at := clock_timestamp();
    INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload, headers, created_at)
    VALUES (event_id, 'inventory-updated', p_product_id::text, 'InventoryUpdated', json_build_object(
        'eventId', event_id, 'eventType', 'InventoryUpdated', 'schemaVersion', 1,
        'occurredAt', to_char(now_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'productId', p_product_id, 'onHand', stock_now.on_hand, 'reserved', stock_now.reserved,
        'available', stock_now.on_hand - stock_now.reserved - stock_now.safety_stock,
        'version', stock_now.version, 'cause', 'RESERVE', 'orderId', order_id), event_headers, now_at);
    detail := jsonb_build_object('finalTotalAmount', amount, 'currency', product_currency,
        'expiresAt', to_char(hold_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
END
$$;

-- Part 30: administration of products and stock.  Each change of on_hand leaves a line in the ledger
-- and an inventory-updated event.

CREATE FUNCTION holdfast.change_stock(
    product_id bigint, new_on_hand bigint, new_safety_stock bigint, cause text, reason text)
RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    old stock;
    changed stock;
    event_id uuid;
BEGIN
    SELECT * INTO STRICT old FROM stock s WHERE s.product_id = change_stock.product_id FOR NO KEY UPDATE;
    IF new_on_hand < old.reserved THEN
        RAISE EXCEPTION USING ERRCODE = 'HF012',
            MESSAGE = format('product %s has %s units reserved, so on_hand cannot become %s',
                             old.product_id, old.reserved, new_on_hand);
    END IF;
    IF new_on_hand = old.on_hand AND new_safety_stock = old.safety_stock THEN
        RETURN;
    END IF;

    UPDATE stock s
    SET on_hand = new_on_hand, safety_stock = new_safety_stock, version = s.version + 1, updated_at = now()
    WHERE s.product_id = old.product_id
    RETURNING * INTO changed;

    IF changed.on_hand <> old.on_hand THEN
        INSERT INTO stock_ledger (product_id, delta_on_hand, on_hand_after, cause, reason)
        VALUES (old.product_id, changed.on_hand - old.on_hand, changed.on_hand, cause, reason);
    END IF;

    event_id := uuid_v7();
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    VALUES (event_id, 'inventory-updated', old.product_id::text, 'InventoryUpdated',
            event_inventory_updated_v1(event_id, changed.product_id, changed.on_hand, changed.reserved,
                changed.on_hand - changed.reserved - changed.safety_stock, changed.version, cause, NULL),
            trace_headers(current_setting('holdfast.traceparent', true)));
END
$$;
COMMENT ON FUNCTION holdfast.change_stock IS 'Sets a stock row, with ledger entry and event; nothing when nothing changes.';

CREATE FUNCTION holdfast.stock_of(product_id bigint) RETURNS holdfast.stock
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    found_row stock;
BEGIN
    SELECT * INTO found_row FROM stock s WHERE s.product_id = stock_of.product_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF002', MESSAGE = format('product %s does not exist', stock_of.product_id);
    END IF;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION holdfast.stock_of(bigint) IS 'The stock row, locked; HF002 when there is none.';

CREATE PROCEDURE holdfast.set_product(
    product_id bigint, name text, unit_price bigint, currency text DEFAULT 'KRW',
    on_hand bigint DEFAULT NULL, safety_stock bigint DEFAULT NULL, reason text DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    held stock;
BEGIN
    IF set_product.product_id IS NULL OR set_product.name IS NULL OR set_product.unit_price IS NULL
       OR set_product.currency IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005',
            MESSAGE = 'product_id, name, unit_price and currency of a product must not be null';
    END IF;
    IF set_product.unit_price < 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF023',
            MESSAGE = format('unit_price of product %s must not be negative', set_product.product_id);
    END IF;
    IF set_product.currency !~ '^[A-Z]{3}$' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF023',
            MESSAGE = format('"%s" is not a currency', set_product.currency),
            DETAIL = 'A currency is three capital letters, as in ISO 4217.';
    END IF;
    IF set_product.on_hand < 0 OR set_product.safety_stock < 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF023',
            MESSAGE = format('on_hand and safety_stock of product %s must not be negative', set_product.product_id);
    END IF;

    INSERT INTO product AS p (product_id, name, unit_price, currency)
    VALUES (set_product.product_id, set_product.name, set_product.unit_price, set_product.currency)
    ON CONFLICT (product_id) DO UPDATE
        SET name = excluded.name, unit_price = excluded.unit_price, currency = excluded.currency,
            updated_at = now()
        WHERE (p.name, p.unit_price, p.currency)
              IS DISTINCT FROM (excluded.name, excluded.unit_price, excluded.currency);
    INSERT INTO stock (product_id) VALUES (set_product.product_id) ON CONFLICT DO NOTHING;

    IF set_product.on_hand IS NOT NULL OR set_product.safety_stock IS NOT NULL THEN
        held := stock_of(set_product.product_id);
        PERFORM change_stock(held.product_id, coalesce(set_product.on_hand, held.on_hand),
                             coalesce(set_product.safety_stock, held.safety_stock), 'SET', reason);
    END IF;
END
$$;
COMMENT ON PROCEDURE holdfast.set_product IS
    'Creates or changes a product. on_hand (as counted) and safety_stock are left alone when null. The price counts for orders from now on.';

CREATE PROCEDURE holdfast.restock(product_id bigint, quantity bigint, reason text DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    held stock;
BEGIN
    IF product_id IS NULL OR quantity IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'product_id and quantity of a restock must not be null';
    END IF;
    IF quantity <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF003',
            MESSAGE = format('quantity of a restock must be positive, not %s', quantity),
            HINT = 'Use adjust_stock to take units away.';
    END IF;
    held := stock_of(product_id);
    IF quantity > 9223372036854775807 - held.on_hand THEN
        RAISE EXCEPTION USING ERRCODE = 'HF004',
            MESSAGE = format('stock of product %s would be more than a bigint holds', product_id);
    END IF;
    PERFORM change_stock(product_id, held.on_hand + quantity, held.safety_stock, 'RESTOCK', reason);
END
$$;
COMMENT ON PROCEDURE holdfast.restock IS 'Units have come in.';

CREATE PROCEDURE holdfast.adjust_stock(product_id bigint, delta bigint, reason text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    held stock;
BEGIN
    IF product_id IS NULL OR delta IS NULL OR reason IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005',
            MESSAGE = 'product_id, delta and reason of an adjustment must not be null';
    END IF;
    IF delta = 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'HF003', MESSAGE = 'delta of an adjustment must not be zero';
    END IF;
    held := stock_of(product_id);
    IF delta > 9223372036854775807 - held.on_hand THEN
        RAISE EXCEPTION USING ERRCODE = 'HF004',
            MESSAGE = format('stock of product %s would be more than a bigint holds', product_id);
    END IF;
    IF delta < 0 AND held.on_hand + delta < held.reserved THEN
        RAISE EXCEPTION USING ERRCODE = 'HF012',
            MESSAGE = format('product %s has %s units on hand and %s reserved, so it cannot lose %s',
                             product_id, held.on_hand, held.reserved, -delta::numeric);
    END IF;
    PERFORM change_stock(product_id, held.on_hand + delta, held.safety_stock, 'ADJUST', reason);
END
$$;
COMMENT ON PROCEDURE holdfast.adjust_stock IS
    'Corrects the stock by delta, for the reason given. What is reserved cannot be adjusted away (HF012).';

CREATE FUNCTION holdfast.availability(product_ids bigint[] DEFAULT NULL)
RETURNS TABLE (product_id bigint, name text, on_hand bigint, reserved bigint, safety_stock bigint,
               available bigint, version bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
BEGIN ATOMIC
    SELECT s.product_id, p.name, s.on_hand, s.reserved, s.safety_stock,
           s.on_hand - s.reserved - s.safety_stock, s.version
    FROM holdfast.stock s JOIN holdfast.product p ON p.product_id = s.product_id
    WHERE product_ids IS NULL OR s.product_id = ANY (product_ids)
    ORDER BY s.product_id;
END;
COMMENT ON FUNCTION holdfast.availability IS
    'What can be sold now, of the given products or of all; negative when the safety stock exceeds what is free.';

CREATE FUNCTION holdfast.fold_stock(
    product_id bigint, from_ledger boolean, anew boolean, OUT before holdfast.stock, OUT after holdfast.stock)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    booked numeric;
    active numeric;
    event_id uuid;
BEGIN
    -- Under the row's lock nobody is between its reservation, or its ledger entry, and its stock update.
    before := stock_of(fold_stock.product_id);
    after := before;
    SELECT coalesce(sum(r.quantity), 0) INTO active
    FROM reservation r WHERE r.product_id = before.product_id AND r.state IN ('HELD', 'SOLD');
    booked := before.on_hand;
    IF from_ledger THEN
        SELECT coalesce(sum(l.delta_on_hand), 0) INTO booked
        FROM stock_ledger l WHERE l.product_id = before.product_id;
    END IF;
    IF active > booked THEN
        RAISE EXCEPTION USING ERRCODE = 'HF012',
            MESSAGE = format('product %s has %s units on hand and reservations for %s',
                             before.product_id, booked, active),
            HINT = 'Count the stock and call set_product, or cancel orders; then reconcile again.';
    END IF;
    IF NOT anew AND (booked, active) = (before.on_hand, before.reserved) THEN
        RETURN;
    END IF;

    UPDATE stock s SET on_hand = booked, reserved = active, version = s.version + 1, updated_at = now()
    WHERE s.product_id = before.product_id
    RETURNING * INTO after;

    -- The ledger gains nothing, even where on_hand changes: that is what it says already.
    INSERT INTO stock_ledger (product_id, delta_on_hand, on_hand_after, cause, reason)
    VALUES (after.product_id, 0, after.on_hand, 'REPAIR', CASE WHEN anew THEN 'the stock row was missing' ELSE concat_ws('; ',
        CASE WHEN after.on_hand <> before.on_hand THEN
            format('on_hand was %s, the ledger says %s', before.on_hand, after.on_hand) END,
        CASE WHEN after.reserved <> before.reserved THEN
            format('reserved was %s, reservations say %s', before.reserved, after.reserved) END) END);

    event_id := uuid_v7();
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    VALUES (event_id, 'inventory-updated', after.product_id::text, 'InventoryUpdated',
            event_inventory_updated_v1(event_id, after.product_id, after.on_hand, after.reserved,
                after.on_hand - after.reserved - after.safety_stock, after.version, 'REPAIR', NULL),
            trace_headers(current_setting('holdfast.traceparent', true)));
END
$$;
COMMENT ON FUNCTION holdfast.fold_stock IS
    'internal to reconcile and rebuild_stock: makes a stock row what the reservations, and with from_ledger the ledger, say; ledger entry and event when that changes it, or the row was made anew. HF012 when more is reserved than there is.';

CREATE FUNCTION holdfast.rebuild_stock(
    product_id bigint,
    OUT on_hand_before bigint, OUT on_hand bigint, OUT reserved_before bigint, OUT reserved bigint,
    OUT version bigint, OUT changed boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    folded record;
    missing boolean;
BEGIN
    IF rebuild_stock.product_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'product_id must not be null';
    END IF;
    -- A row that is gone comes back, with a version above those that consumers may have seen.
    INSERT INTO stock (product_id, version)
    SELECT p.product_id, coalesce((SELECT max(substring(o.payload->>'version' FROM '^[0-9]{1,18}$')::bigint) FROM outbox o
                                   WHERE o.aggregateid = p.product_id::text
                                     AND o.aggregatetype = 'inventory-updated'), 0)
    FROM product p
    WHERE p.product_id = rebuild_stock.product_id
      AND NOT EXISTS (SELECT FROM stock s WHERE s.product_id = p.product_id)
    ON CONFLICT DO NOTHING;
    missing := FOUND;

    folded := fold_stock(rebuild_stock.product_id, true, missing);
    IF NOT missing THEN
        on_hand_before := (folded.before).on_hand;
        reserved_before := (folded.before).reserved;
    END IF;
    on_hand := (folded.after).on_hand;
    reserved := (folded.after).reserved;
    version := (folded.after).version;
    changed := folded.before IS DISTINCT FROM folded.after;
END
$$;
COMMENT ON FUNCTION holdfast.rebuild_stock IS
    'Folds the stock ledger (on_hand) and the reservations (reserved) back into the stock row, under its lock; a change is booked as REPAIR and published. Says what the row was (null: it was missing) and is. safety_stock and what was counted and never booked are nowhere else: set_product() sets them afterwards.';

CREATE FUNCTION holdfast.reconcile(repair boolean DEFAULT false)
RETURNS TABLE (product_id bigint, "check" text, expected bigint, actual bigint, repaired boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    difference record;
BEGIN
    -- One statement is one snapshot, and stock and reservations change in the same transactions, so
    -- what differs here differs in truth.
    FOR difference IN
        WITH active AS (
            SELECT r.product_id, sum(r.quantity)::bigint AS quantity
            FROM reservation r WHERE r.state IN ('HELD', 'SOLD') GROUP BY r.product_id),
        booked AS (
            SELECT l.product_id, sum(l.delta_on_hand)::bigint AS quantity
            FROM stock_ledger l GROUP BY l.product_id),
        holds AS (
            SELECT r.product_id,
                   count(*) FILTER (WHERE o.status IS DISTINCT FROM CASE r.state
                       WHEN 'HELD' THEN 'PENDING' WHEN 'SOLD' THEN 'COMPLETED' END) AS wrong
            FROM reservation r LEFT JOIN orders o ON o.order_id = r.order_id
            WHERE r.state IN ('HELD', 'SOLD') GROUP BY r.product_id)
        SELECT s.product_id, c.name, c.expected, c.actual
        FROM stock s
             LEFT JOIN active a ON a.product_id = s.product_id
             LEFT JOIN booked b ON b.product_id = s.product_id
             LEFT JOIN holds h ON h.product_id = s.product_id
             CROSS JOIN LATERAL (VALUES
                 ('reserved = reservations', coalesce(a.quantity, 0), s.reserved),
                 ('on_hand = ledger', coalesce(b.quantity, 0), s.on_hand),
                 ('reservation state = order status', 0, coalesce(h.wrong, 0))) AS c(name, expected, actual)
        WHERE c.expected <> c.actual
        UNION ALL
        SELECT a.product_id, 'stock row exists', 1, 0
        FROM active a WHERE NOT EXISTS (SELECT FROM stock s WHERE s.product_id = a.product_id)
        ORDER BY 1, 2
    LOOP
        product_id := difference.product_id;
        "check" := difference.name;
        expected := difference.expected;
        actual := difference.actual;
        repaired := false;

        IF repair AND difference.name = 'reserved = reservations' THEN
            PERFORM fold_stock(difference.product_id, false, false);
            repaired := true;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION holdfast.reconcile IS
    'Differences between stock rows, reservations, orders and ledger; no rows: all agree. repair=true sets reserved to what reservations say; the rest needs a decision and is only listed (rebuild_stock makes the row what the ledger says, set_product then books what was counted).';

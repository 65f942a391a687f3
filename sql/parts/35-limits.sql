-- Part 35: how much one order, and one customer, may take of a product.  place_order reads the limits with
-- the product; what follows is called only for products that have one.

CREATE PROCEDURE holdfast.set_product_limits(
    product_id bigint, max_per_order bigint DEFAULT NULL, max_per_user bigint DEFAULT NULL,
    limit_window interval DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF set_product_limits.product_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'product_id must not be null';
    END IF;
    IF set_product_limits.max_per_order <= 0 OR set_product_limits.max_per_user <= 0
       OR set_product_limits.limit_window <= interval '0' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF032',
            MESSAGE = format('max_per_order, max_per_user and limit_window of product %s must be positive, or null for none',
                             set_product_limits.product_id);
    END IF;
    IF set_product_limits.limit_window IS NOT NULL AND set_product_limits.max_per_user IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF032',
            MESSAGE = format('limit_window of product %s is that of max_per_user, which is null', set_product_limits.product_id);
    END IF;
    UPDATE product p
    SET max_per_order = set_product_limits.max_per_order, max_per_user = set_product_limits.max_per_user,
        limit_window = set_product_limits.limit_window, updated_at = now()
    WHERE p.product_id = set_product_limits.product_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'HF002',
            MESSAGE = format('product %s does not exist', set_product_limits.product_id);
    END IF;
END
$$;
COMMENT ON PROCEDURE holdfast.set_product_limits IS
    'Sets all limits of a product; null: none. An order above one is refused with reason LIMIT_EXCEEDED. max_per_user counts the orders placed while the product has it, within limit_window back from now, or all; those that fail, are cancelled or expire do not count.';

CREATE FUNCTION holdfast.lock_limits(product_ids bigint[], user_ids bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
    SET enable_seqscan = off
    -- What is in the arrays changes no plan; with a short one it would be made anew each time, which was
    -- four fifths of the call.
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO customer_limit (product_id, user_id)
    SELECT p.product_id, p.user_id
    FROM unnest(product_ids, user_ids) AS p(product_id, user_id)
    ORDER BY p.product_id, p.user_id
    ON CONFLICT (product_id, user_id) DO UPDATE SET locked_on = current_date;

    -- A new snapshot: the one before may be older than the locks.
    RETURN ARRAY(
        SELECT (SELECT coalesce(sum(t.quantity), 0)::bigint
                FROM customer_take t
                WHERE t.product_id = p.product_id AND t.user_id = p.user_id
                  AND (q.limit_window IS NULL OR t.taken_at > clock_timestamp() - q.limit_window))
        FROM unnest(product_ids, user_ids) WITH ORDINALITY AS p(product_id, user_id, n)
             LEFT JOIN product q ON q.product_id = p.product_id
        ORDER BY p.n);
END
$$;
COMMENT ON FUNCTION holdfast.lock_limits(bigint[], bigint[]) IS
    'internal to place_order: locks the counts of these products and users until the transaction ends, ascending; returns what counts towards max_per_user, in the order given.';

-- Part 57: product metrics: what catalog-events say about products, one row per product and day.  The
-- handler is bound like any other; the inbox calls it once per event, so the sums are exact.

CREATE TABLE holdfast.product_metric (
    product_id     bigint NOT NULL,
    day            date NOT NULL,
    likes          bigint NOT NULL DEFAULT 0,
    views          bigint NOT NULL DEFAULT 0,
    purchases      bigint NOT NULL DEFAULT 0,
    sold_out       bigint NOT NULL DEFAULT 0,
    back_in_stock  bigint NOT NULL DEFAULT 0,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (product_id, day)
) PARTITION BY RANGE (day);
-- Today's rows change all the time: the room on the page keeps these updates HOT.
CREATE TABLE holdfast.product_metric_default PARTITION OF holdfast.product_metric DEFAULT WITH (fillfactor = 50);
COMMENT ON TABLE holdfast.product_metric IS
    'catalog-events, folded by on_catalog_event(); months that nobody asks about any more can be detached';
COMMENT ON COLUMN holdfast.product_metric.day IS 'of occurredAt, in UTC';
COMMENT ON COLUMN holdfast.product_metric.likes IS 'likes less those taken back, so a day may be below zero';
COMMENT ON COLUMN holdfast.product_metric.purchases IS 'units, when delta says how many; else events';
COMMENT ON COLUMN holdfast.product_metric.sold_out IS 'how often the last unit went';

CREATE FUNCTION holdfast.on_catalog_event_batch(keys text[], "values" jsonb[], headers jsonb[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    problem text;
BEGIN
    -- In one statement: a function that is called for each event would take longer than all the rest.
    SELECT p.problem INTO problem
    FROM unnest("values") WITH ORDINALITY AS v(value, n)
         CROSS JOIN LATERAL (SELECT CASE
             WHEN jsonb_typeof(v.value) IS DISTINCT FROM 'object' THEN 'an event must be a JSON object'
             WHEN v.value->'schemaVersion' <> '1' THEN
                 format('schemaVersion %s is not understood', v.value->>'schemaVersion')
             WHEN coalesce(v.value->>'productId' !~ '^[0-9]{1,18}$', true) THEN
                 'a catalog event must have a productId'
             WHEN coalesce(v.value->>'kind' NOT IN
                     ('LIKED', 'UNLIKED', 'VIEWED', 'PURCHASED', 'SOLD_OUT', 'BACK_IN_STOCK'), true) THEN
                 format('kind %s of a catalog event is not known', coalesce(v.value->'kind', 'null'))
             WHEN v.value->>'delta' !~ '^-?[0-9]{1,18}$' THEN
                 'delta of a catalog event must be a whole number'
             -- With its offset from UTC it is the same instant in every session.
             WHEN coalesce(v.value->>'occurredAt'
                     !~ '^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$', true) THEN
                 'occurredAt of a catalog event must be a time as in RFC 3339'
             END) AS p(problem)
    WHERE p.problem IS NOT NULL
    ORDER BY v.n LIMIT 1;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = problem;
    END IF;

    -- Products ascending: the batches of two partitions may name the same ones, and never wait for each
    -- other in a circle.
    INSERT INTO product_metric AS m (product_id, day, likes, views, purchases, sold_out, back_in_stock)
    SELECT e.product_id, e.day,
           coalesce(sum(CASE e.kind WHEN 'LIKED' THEN e.delta WHEN 'UNLIKED' THEN -e.delta END), 0),
           coalesce(sum(e.delta) FILTER (WHERE e.kind = 'VIEWED'), 0),
           coalesce(sum(e.delta) FILTER (WHERE e.kind = 'PURCHASED'), 0),
           coalesce(sum(e.delta) FILTER (WHERE e.kind = 'SOLD_OUT'), 0),
           coalesce(sum(e.delta) FILTER (WHERE e.kind = 'BACK_IN_STOCK'), 0)
    FROM (SELECT (v.value->>'productId')::bigint AS product_id,
                 ((v.value->>'occurredAt')::timestamptz AT TIME ZONE 'UTC')::date AS day,
                 v.value->>'kind' AS kind, coalesce((v.value->>'delta')::bigint, 1) AS delta
          FROM unnest("values") AS v(value)) e
    GROUP BY e.product_id, e.day
    ORDER BY e.product_id, e.day
    ON CONFLICT (product_id, day) DO UPDATE
        SET likes = m.likes + excluded.likes, views = m.views + excluded.views,
            purchases = m.purchases + excluded.purchases, sold_out = m.sold_out + excluded.sold_out,
            back_in_stock = m.back_in_stock + excluded.back_in_stock, updated_at = now();
END
$$;
COMMENT ON FUNCTION holdfast.on_catalog_event_batch IS 'on_catalog_event for many messages at once: one upsert per product and day. Without a delta an event counts once.';

CREATE FUNCTION holdfast.on_catalog_event(key text, value jsonb, headers jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM on_catalog_event_batch(ARRAY[key], ARRAY[value], ARRAY[headers]);
END
$$;
COMMENT ON FUNCTION holdfast.on_catalog_event IS
    'Adds a catalog event (productId, kind LIKED, UNLIKED, VIEWED, PURCHASED, SOLD_OUT or BACK_IN_STOCK, delta) to product_metric. HF001 for one that cannot be understood.';

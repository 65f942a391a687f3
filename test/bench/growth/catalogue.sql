-- An empty shop of 10,000 products, and the plan of its orders: psql -v orders=N.
-- N orders of the last week, by 100,000 users; every fourth has two lines, every twelfth failed because its
-- payment was declined, the last 1,000 are PENDING, the others COMPLETED.
CREATE EXTENSION holdfast;
SELECT holdfast.maintain();
DO $$
BEGIN
    FOR p IN 1 .. 10000 LOOP
        CALL holdfast.set_product(p, 'product ' || p, 1000, on_hand => 1000000000, reason => 'bench');
    END LOOP;
    -- The week's outbox partitions, which maintain() made then.
    FOR day IN 1 .. 8 LOOP
        PERFORM holdfast.add_partition('outbox', 'id', to_char(d, '"outbox_p"YYYYMMDD'),
                    holdfast.uuid_v7_floor(d)::text, holdfast.uuid_v7_floor(d + interval '1 day')::text,
                    ' WITH (autovacuum_vacuum_insert_threshold = -1)', true)
        FROM (SELECT date_trunc('day', now(), 'UTC') - make_interval(days => day) AS d) AS t;
    END LOOP;
END $$;

CREATE SCHEMA bench;
CREATE UNLOGGED TABLE bench.placed AS
SELECT n AS order_id, 1 + n * 7919 % 100000 AS user_id,
       now() - interval '7 days' + interval '7 days' * (n::float8 / :orders) AS at,
       CASE WHEN n > :orders - 1000 THEN 'PENDING' WHEN n % 12 = 0 THEN 'FAILED' ELSE 'COMPLETED' END AS status,
       CASE WHEN n % 4 = 0 THEN 2 ELSE 1 END AS lines,
       md5('payment ' || n)::uuid::text AS payment_id
FROM generate_series(1, :orders::bigint) AS n;
CREATE FUNCTION bench.product(order_id bigint, line_no int) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN 1 + (order_id * 31 + line_no * 3331) % 10000;
CREATE VIEW bench.line AS
SELECT p.*, l AS line_no, bench.product(p.order_id, l) AS product_id FROM bench.placed p, generate_series(1, p.lines) AS l;
ANALYZE bench.placed;

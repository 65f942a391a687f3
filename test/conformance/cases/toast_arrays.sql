-- Arrays that an update leaves alone.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, x text[], v varchar[], b bpchar[], j json[], jb jsonb[], i int4[], s int2[], l int8[], d date[], u uuid[], o bool[], f float8[], e numeric[], z timestamptz[], y inet[]);
DO $$ BEGIN EXECUTE (SELECT string_agg(format('ALTER TABLE t ALTER %I SET STORAGE EXTERNAL', a), ';')
    FROM unnest(ARRAY['x','v','b','j','jb','i','s','l','d','u','o','f','e','z','y']) a); END $$;
-- (workload)
INSERT INTO t (id, n, x) VALUES (1, 1, ARRAY[repeat('x', 2100)]);
INSERT INTO t (id, n, v) VALUES (2, 1, ARRAY[repeat('x', 2100)]);
INSERT INTO t (id, n, b) VALUES (3, 1, ARRAY[repeat('x', 2100)]);
INSERT INTO t (id, n, j) VALUES (4, 1, ARRAY['"' || repeat('x', 2100) || '"']::json[]);
INSERT INTO t (id, n, jb) VALUES (5, 1, ARRAY['"' || repeat('x', 2100) || '"']::jsonb[]);
INSERT INTO t (id, n, i) VALUES (6, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 550) g));
INSERT INTO t (id, n, s) VALUES (7, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 1100) g));
INSERT INTO t (id, n, l) VALUES (8, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 300) g));
INSERT INTO t (id, n, d) VALUES (9, 1, (SELECT array_agg('2020-01-01'::date) FROM generate_series(1, 550) g));
INSERT INTO t (id, n, u) VALUES (10, 1, (SELECT array_agg('406c07f3-26f0-4eea-a50c-109940064b8f'::uuid) FROM generate_series(1, 140) g));
INSERT INTO t (id, n, o) VALUES (11, 1, (SELECT array_agg(true) FROM generate_series(1, 2100) g));
INSERT INTO t (id, n, f) VALUES (12, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 300) g));
INSERT INTO t (id, n, e) VALUES (13, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 300) g));
INSERT INTO t (id, n, z) VALUES (14, 1, (SELECT array_agg('2020-01-01 00:00+00'::timestamptz) FROM generate_series(1, 300) g));
INSERT INTO t (id, n, y) VALUES (15, 1, (SELECT array_agg('::1'::inet) FROM generate_series(1, 120) g));
UPDATE t SET n = 2;

-- A placeholder of one's own.
-- option: unavailable.value.placeholder = not here
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, x text, b bytea, a int[], u uuid[], h hstore);
ALTER TABLE t ALTER x SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL, ALTER a SET STORAGE EXTERNAL, ALTER u SET STORAGE EXTERNAL, ALTER h SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t (id, n, x, b) VALUES (1, 1, repeat('x', 2100), convert_to(repeat('x', 2100), 'UTF8'));
INSERT INTO t (id, n, a, u, h) VALUES (2, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 550) g), (SELECT array_agg('406c07f3-26f0-4eea-a50c-109940064b8f'::uuid) FROM generate_series(1, 140) g), hstore('k', repeat('x', 2100)));
UPDATE t SET n = 2;

-- Under REPLICA IDENTITY FULL the old row has the value.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, x text, a int[]);
ALTER TABLE t ALTER x SET STORAGE EXTERNAL, ALTER a SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 1, repeat('x', 2100), ARRAY[1]), (2, 1, NULL, (SELECT array_agg(g) FROM generate_series(1, 600) g));
UPDATE t SET n = 2;
UPDATE t SET id = 3 WHERE id = 1;

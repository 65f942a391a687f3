-- A large value without placeholder in a column that may not be null.
-- halts: null in a field that is required
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, f float8[] NOT NULL);
ALTER TABLE t ALTER f SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, (SELECT array_agg(g % 5) FROM generate_series(1, 300) g));
-- (wait)
UPDATE t SET n = 2;

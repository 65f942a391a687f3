-- Large values in columns that may not be null, with and without default.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, x text NOT NULL, y text NOT NULL DEFAULT 'dflt', z text DEFAULT 'dflt');
ALTER TABLE t ALTER x SET STORAGE EXTERNAL, ALTER y SET STORAGE EXTERNAL, ALTER z SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, repeat('x', 2100), repeat('y', 2100), repeat('z', 2100));
UPDATE t SET n = 2;

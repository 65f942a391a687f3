-- hstore that an update leaves alone.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, h hstore, a hstore[]);
ALTER TABLE t ALTER h SET STORAGE EXTERNAL, ALTER a SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, hstore('k', repeat('x', 2100)), NULL), (2, 1, NULL, ARRAY[hstore('k', repeat('x', 2100))]);
UPDATE t SET n = 2;

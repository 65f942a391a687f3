-- bytea that an update leaves alone.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, b bytea, a bytea[]);
ALTER TABLE t ALTER b SET STORAGE EXTERNAL, ALTER a SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, convert_to(repeat('x', 2100), 'UTF8'), NULL), (2, 1, NULL, ARRAY[convert_to(repeat('x', 2100), 'UTF8')]);
UPDATE t SET n = 2;

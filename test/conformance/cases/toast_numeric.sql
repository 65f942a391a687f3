-- A numeric that an update leaves alone has no placeholder.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, v numeric, b varbit);
ALTER TABLE t ALTER v SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, (repeat('7', 4300))::numeric, NULL), (2, 1, NULL, repeat('1', 17000)::varbit);
UPDATE t SET n = 2;

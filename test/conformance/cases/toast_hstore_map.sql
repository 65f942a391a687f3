-- hstore as a map that an update leaves alone.
-- option: hstore.handling.mode = map
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, h hstore);
ALTER TABLE t ALTER h SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, hstore('k', repeat('x', 2100)));
UPDATE t SET n = 2;

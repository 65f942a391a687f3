-- A large value that stays while the key changes.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, x text, d text DEFAULT 'd');
ALTER TABLE t ALTER x SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, repeat('x', 2100));
UPDATE t SET id = 2;
DELETE FROM t;

-- No key and REPLICA IDENTITY FULL: null keys, tombstones too.
-- (schema)
CREATE TABLE t (a int, v text);
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 'a'), (2, 'b');
UPDATE t SET v = 'c' WHERE a = 1;
UPDATE t SET a = 3 WHERE a = 1;
DELETE FROM t;

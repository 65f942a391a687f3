-- The key has the order of the constraint, not of the columns.
-- (schema)
CREATE TABLE t (a int, b text, c bigint, v text, PRIMARY KEY (c, a));
-- (workload)
INSERT INTO t VALUES (1, 'b', 3, 'v'), (2, 'b', 1, 'w');
UPDATE t SET c = 9 WHERE a = 1;
DELETE FROM t;

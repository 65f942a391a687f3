-- REPLICA IDENTITY DEFAULT: the key of what was, nothing else.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, n int NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2);
UPDATE t SET v = 'c' WHERE id = 1;
UPDATE t SET v = v WHERE id = 2;
UPDATE t SET id = 3 WHERE id = 1;
DELETE FROM t;

-- REPLICA IDENTITY FULL: all of what was.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, n int NOT NULL, d int DEFAULT 5);
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 'a', 1, NULL), (2, NULL, 2, 3);
UPDATE t SET v = 'c' WHERE id = 1;
UPDATE t SET v = v WHERE id = 2;
UPDATE t SET id = 3 WHERE id = 1;
DELETE FROM t;

-- A column is dropped.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a text, b int NOT NULL DEFAULT 4);
-- (workload)
INSERT INTO t VALUES (1, 'a', 1);
-- (wait)
ALTER TABLE t DROP COLUMN a;
INSERT INTO t VALUES (2, 2);
UPDATE t SET b = 3 WHERE id = 1;
DELETE FROM t;

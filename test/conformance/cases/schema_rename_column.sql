-- A column is renamed.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a text);
-- (workload)
INSERT INTO t VALUES (1, 'a');
-- (wait)
ALTER TABLE t RENAME a TO b;
INSERT INTO t VALUES (2, 'b');
DELETE FROM t;

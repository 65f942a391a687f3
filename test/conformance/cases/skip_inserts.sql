-- Skipped inserts and deletes.
-- option: skipped.operations = c,d
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t VALUES (1, 'a');
UPDATE t SET v = 'b';
UPDATE t SET id = 2;
DELETE FROM t;

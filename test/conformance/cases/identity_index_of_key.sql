-- REPLICA IDENTITY USING INDEX on the columns of the key.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE UNIQUE INDEX t_other ON t (id);
ALTER TABLE t REPLICA IDENTITY USING INDEX t_other;
-- (workload)
INSERT INTO t VALUES (1, 'a');
UPDATE t SET v = 'c';
UPDATE t SET id = 3;
DELETE FROM t;

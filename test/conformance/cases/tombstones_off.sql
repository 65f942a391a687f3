-- No tombstones.
-- option: tombstones.on.delete = false
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t VALUES (1, 'v'), (2, 'w');
UPDATE t SET id = 3 WHERE id = 1;
DELETE FROM t;

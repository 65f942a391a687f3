-- Without context headers.
-- option: extended.headers.enabled = false
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t VALUES (1, 'v');
UPDATE t SET id = 2;
DELETE FROM t;

-- TRUNCATE is skipped unless asked for.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
-- (workload)
INSERT INTO t VALUES (1);
TRUNCATE t;
INSERT INTO t VALUES (2);

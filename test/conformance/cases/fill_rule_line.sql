-- What stands for a line that may not be null.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v line NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '{1,2,3}');
DELETE FROM t;

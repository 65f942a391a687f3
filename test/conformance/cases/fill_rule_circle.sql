-- What stands for a circle that may not be null.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v circle NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '<(10,20),10>');
DELETE FROM t;

-- A point that may not be null, and what a delete says of it.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, p point NOT NULL, d point DEFAULT '(1,2)');
-- (workload)
INSERT INTO t VALUES (1, '(1,2)', '(3,4)'), (2, '(0,-0)', NULL);
INSERT INTO t (id, p) VALUES (3, '(5,6)');
DELETE FROM t WHERE id = 1;

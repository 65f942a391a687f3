-- A table gets another primary key.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 10);
-- (wait)
ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (a, id);
INSERT INTO t VALUES (2, 20);
UPDATE t SET a = 21 WHERE id = 2;
DELETE FROM t;

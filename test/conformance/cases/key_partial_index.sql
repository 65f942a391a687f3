-- A partial unique index is taken too.
-- (schema)
CREATE TABLE t (a int NOT NULL, b int, v text);
CREATE UNIQUE INDEX t_partial ON t (b) WHERE a > 0;
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 2, 'v'), (0, 3, 'w');
DELETE FROM t;

-- An index with INCLUDE columns.
-- (schema)
CREATE TABLE t (a int NOT NULL, b int, v text);
CREATE UNIQUE INDEX t_inc ON t (a) INCLUDE (b);
CREATE TABLE p (a int, b int, v text, PRIMARY KEY (a) INCLUDE (v));
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 2, 'v');
INSERT INTO p VALUES (1, 2, 'v');
UPDATE p SET v = 'w';
UPDATE t SET b = 3;
DELETE FROM t;
DELETE FROM p;

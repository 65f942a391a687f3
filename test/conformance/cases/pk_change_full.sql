-- A changed key under REPLICA IDENTITY FULL.
-- (schema)
CREATE TABLE t (a int PRIMARY KEY, v text, n int NOT NULL);
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 'v', 1);
UPDATE t SET a = 2;
UPDATE t SET a = 3, v = 'w';

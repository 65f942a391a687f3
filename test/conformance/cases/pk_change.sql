-- A changed key: delete, tombstone, create, with headers that point at each other.
-- (schema)
CREATE TABLE t (a int, b text, v text DEFAULT 'd', PRIMARY KEY (a, b));
-- (workload)
INSERT INTO t VALUES (1, 'x', 'v'), (2, 'quote " and \', NULL);
UPDATE t SET a = 5 WHERE a = 1;
UPDATE t SET a = a WHERE a = 5;
UPDATE t SET b = 'ü' WHERE a = 2;
UPDATE t SET a = a + 10;

-- A null in a key's column with a default.
-- (schema)
CREATE TABLE t (a int DEFAULT 5, b int DEFAULT 6, UNIQUE (a, b));
-- (workload)
INSERT INTO t VALUES (NULL, 1), (1, NULL), (DEFAULT, DEFAULT);

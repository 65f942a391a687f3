-- A column becomes NOT NULL, and gets a default.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a int, b int NOT NULL, c int);
-- (workload)
INSERT INTO t VALUES (1, 1, 1, 1);
-- (wait)
ALTER TABLE t ALTER a SET NOT NULL, ALTER b DROP NOT NULL, ALTER c TYPE bigint, ALTER c SET DEFAULT 9;
INSERT INTO t VALUES (2, 2, NULL, NULL);

-- Arrays of bytea.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, b bytea[]);
-- (workload)
INSERT INTO t VALUES (1, '{"\\x0102",NULL,"\\x"}'), (2, '{}'), (3, NULL);

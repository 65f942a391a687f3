-- Arrays of numeric.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n numeric(10,2)[], u numeric[], nn numeric(4,1)[] NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '{1.10,2.20,NULL}', '{1.10,100,NULL}', '{1}'), (2, '{}', '{}', '{}'), (3, NULL, NULL, '{-0.1}');
DELETE FROM t WHERE id = 1;

-- Arrays of citext.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, c citext[]);
-- (workload)
INSERT INTO t VALUES (1, '{Ab,cD,NULL}'), (2, '{}'), (3, NULL);

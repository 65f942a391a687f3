-- An array whose first index is not 1.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a int[], x text[]);
-- (workload)
INSERT INTO t VALUES (1, '[0:2]={1,2,3}', '[5:6]={a,b}');

-- Arrays of floating point.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, r real[], d double precision[]);
-- (workload)
INSERT INTO t VALUES (1, '{1,2.5,NULL}', '{1e10,-0.001}'), (2, '{}', '{}'), (3, NULL, NULL), (4, '{NaN,Infinity}', '{-Infinity,NaN}');

-- Arrays of times, which go through milliseconds.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, t time[], t3 time(3)[], z timetz[]);
-- (workload)
INSERT INTO t VALUES (1, '{13:51:30,NULL}', '{13:51:30.123}', '{13:51:30+02,NULL}'), (2, '{}', '{}', '{}'), (3, NULL, NULL, NULL);

-- Arrays of dates and timestamps.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date[], t timestamp[], t3 timestamp(3)[], z timestamptz[], z3 timestamptz(3)[]);
-- (workload)
INSERT INTO t VALUES (1, '{2016-11-04,NULL,1969-12-31}', '{"2016-11-04 13:51:30.123456",NULL}', '{"2016-11-04 13:51:30.123"}', '{"2016-11-04 13:51:30.123456+02",NULL}', '{"2016-11-04 13:51:30.1+02"}');
INSERT INTO t VALUES (2, '{}', '{}', '{}', '{}', '{}'), (3, NULL, NULL, NULL, NULL, NULL);

-- Arrays of ranges.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, i int4range[], b int8range[], n numrange[], s tsrange[], z tstzrange[], d daterange[]);
-- (workload)
INSERT INTO t VALUES (1, '{"[1,5)",empty,NULL}', '{"[1,5)"}', '{"[1.5,2)"}', '{"[2020-01-01 00:00,2020-01-02 00:00)"}', '{"[2020-01-01 00:00+00,)"}', '{"[2020-01-01,2020-02-01)"}'), (2, '{}', '{}', '{}', '{}', '{}', '{}'), (3, NULL, NULL, NULL, NULL, NULL, NULL);

-- time.precision.mode of 3.7: structures.
-- option: time.precision.mode = structured
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date, t time, t3 time(3), s timestamp, s3 timestamp(3), z timestamptz, zt timetz, a time[], a3 timestamp(3)[], da date[], v interval, n date NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '2016-11-04', '13:51:30.123456', '13:51:30.1', '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.120', '2016-11-04 13:51:30+02', '13:51:30+02', '{13:51:30}', '{2016-11-04 13:51:30.123}', '{2016-11-04,NULL}', '1 day', '2020-01-01');
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2020-01-01'), (3, 'infinity', '24:00', '24:00', 'infinity', '-infinity', 'infinity', '24:00+00', '{}', '{}', '{}', NULL, '0044-03-15 BC');

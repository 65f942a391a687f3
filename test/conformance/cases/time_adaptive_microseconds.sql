-- time.precision.mode: times in microseconds, whatever their precision.
-- option: time.precision.mode = adaptive_time_microseconds
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date, t time, t3 time(3) DEFAULT '01:02:03.4', s timestamp, s3 timestamp(3), z timestamptz, zt timetz, a time[], a3 timestamp(3)[]);
-- (workload)
INSERT INTO t VALUES (1, '2016-11-04', '13:51:30.123456', '13:51:30.123', '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.123', '2016-11-04 13:51:30+02', '13:51:30+02', '{13:51:30}', '{2016-11-04 13:51:30.123}');
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'infinity', '24:00', '24:00', 'infinity', '-infinity', 'infinity', '24:00+00', '{}', '{}');

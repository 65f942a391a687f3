-- time.precision.mode: microseconds for all.
-- option: time.precision.mode = microseconds
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date DEFAULT '2020-01-02', t time DEFAULT '01:02:03.456789', t3 time(3), s timestamp DEFAULT '2020-01-02 03:04:05.678901', s3 timestamp(3) DEFAULT '2020-01-02 03:04:05.678', z timestamptz, zt timetz, a time[], a3 timestamp(3)[], da date[], v interval);
-- (workload)
INSERT INTO t VALUES (1, '2016-11-04', '13:51:30.123456', '13:51:30.1', '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.120', '2016-11-04 13:51:30+02', '13:51:30+02', '{13:51:30}', '{2016-11-04 13:51:30.123}', '{2016-11-04,NULL}', '1 day');
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'infinity', '24:00', '24:00', 'infinity', 'infinity', 'infinity', '24:00+00', '{}', '{}', '{}', NULL), (4, '-infinity', '00:00', '00:00', '-infinity', '-infinity', '-infinity', NULL, NULL, NULL, NULL, NULL);

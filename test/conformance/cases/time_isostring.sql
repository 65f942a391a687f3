-- time.precision.mode: ISO strings.
-- option: time.precision.mode = isostring
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date DEFAULT '2020-01-02', t time DEFAULT '01:02:03.456789', t3 time(3), s timestamp DEFAULT '2020-01-02 03:04:05.678901', s3 timestamp(3), z timestamptz, zt timetz, a time[], a3 timestamp(3)[], da date[]);
-- (workload)
INSERT INTO t VALUES (1, '2016-11-04', '13:51:30.123456', '13:51:30.1', '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.120', '2016-11-04 13:51:30+02', '13:51:30+02', '{13:51:30}', '{2016-11-04 13:51:30.123}', '{2016-11-04,NULL}');
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, '1969-12-31', '00:00', '23:59:59.999', '1970-01-01 00:00', '10000-01-01 00:00:00', NULL, NULL, '{}', '{}', '{}');
INSERT INTO t VALUES (4, '0044-03-15 BC', '12:00:00.000001', '12:00', '0044-03-15 12:00 BC', '0001-01-01', NULL, NULL, NULL, NULL, NULL);

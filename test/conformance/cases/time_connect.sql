-- time.precision.mode: Connect's own types.
-- option: time.precision.mode = connect
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date DEFAULT '2020-01-02', t time DEFAULT '01:02:03.456789', t3 time(3), s timestamp DEFAULT '2020-01-02 03:04:05.678901', s3 timestamp(3), z timestamptz, zt timetz, a time[], a3 timestamp(3)[], da date[]);
-- (workload)
INSERT INTO t VALUES (1, '2016-11-04', '13:51:30.123456', '13:51:30.123', '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.123', '2016-11-04 13:51:30+02', '13:51:30+02', '{13:51:30}', '{2016-11-04 13:51:30.123}', '{2016-11-04,NULL}');
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, '1969-12-31', '00:00:00.000999', '23:59:59.999', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999', NULL, NULL, '{}', '{}', '{}');

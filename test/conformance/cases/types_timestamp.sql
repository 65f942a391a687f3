-- timestamp of each precision.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, t timestamp, t0 timestamp(0), t3 timestamp(3), t4 timestamp(4), t6 timestamp(6), d timestamp DEFAULT '2020-01-02 03:04:05.678901',
    n timestamp NOT NULL, d3 timestamp(3) DEFAULT '2020-01-02 03:04:05.678');
-- (workload)
INSERT INTO t VALUES (1, '2018-06-20 15:13:16.945104', '2018-06-20 15:13:16', '2016-11-04 13:51:30.123', '2016-11-04 13:51:30.1234', '2016-11-04 13:51:30.123456', '1970-01-01', '1969-12-31 23:59:59.999999', '2001-01-01');
INSERT INTO t VALUES (2, 'infinity', 'infinity', 'infinity', 'infinity', 'infinity', '-infinity', '2000-01-01', '-infinity');
INSERT INTO t VALUES (3, '-infinity', '-infinity', '-infinity', '-infinity', '-infinity', NULL, '0001-01-01 00:00:00', NULL);
INSERT INTO t VALUES (4, '294276-12-31 23:59:59.999999', '294276-12-31', '294276-12-31', '294276-12-31', '294276-12-31', '4713-01-01 BC', '0044-03-15 12:00:00.5 BC', '4713-01-01 00:00 BC');
INSERT INTO t VALUES (5, '10000-01-01', '1582-10-04', '1582-10-15', '0001-12-31 23:59:59.9999 BC', '9999-12-31 23:59:59.999999', '1900-01-01', '1883-11-18 12:03:58');
INSERT INTO t VALUES (6, NULL, NULL, NULL, NULL, NULL, NULL, '2000-02-29 12:00');
INSERT INTO t (id, n) VALUES (7, '2038-01-19 03:14:08');
DELETE FROM t WHERE id = 1;

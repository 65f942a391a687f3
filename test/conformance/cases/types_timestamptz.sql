-- timestamptz: text in UTC, with as many digits as the column has.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, t timestamptz, t0 timestamptz(0), t3 timestamptz(3), t6 timestamptz(6), d timestamptz DEFAULT '2020-01-02 03:04:05.6789+02', n timestamptz NOT NULL,
    t1 timestamptz(1));
-- (workload)
INSERT INTO t VALUES (1, '2016-11-04 13:51:30.123456+02', '2016-11-04 13:51:30+02', '2016-11-04 13:51:30.1+02', '2016-11-04 13:51:30+02', '1970-01-01 00:00+00', '1969-12-31 23:59:59.999999+00', '2016-11-04 13:51:30.15+02');
INSERT INTO t VALUES (2, 'infinity', 'infinity', 'infinity', 'infinity', '-infinity', '2000-01-01 00:00+14', '-infinity');
INSERT INTO t VALUES (3, '21016-11-04 13:51:30.123456+02', '10000-01-01 00:00+00', '9999-12-31 23:59:59.999+00', '9999-12-31 23:59:59.999999+00', NULL, '0001-01-01 00:00+00', NULL);
INSERT INTO t VALUES (4, '4713-11-24 00:00:00+00 BC', '0044-03-15 12:00+00 BC', '0001-12-31 23:59:59.999+00 BC', '0001-01-01 00:00:00.000001+00', NULL, '1582-10-04 00:00+00', '1900-01-01 00:00+00');
INSERT INTO t VALUES (5, NULL, NULL, NULL, NULL, NULL, '2020-03-29 02:30:00 Europe/Berlin');
INSERT INTO t (id, n) VALUES (6, '2020-06-01 12:00-09:30');
DELETE FROM t WHERE id = 1;

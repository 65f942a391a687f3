-- interval as microseconds, a month being 365.25/12 days.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, i interval, d interval DEFAULT '1 day', n interval NOT NULL, i3 interval(3), ym interval year to month);
-- (workload)
INSERT INTO t VALUES (1, '1 year 2 mons 3 days 04:05:06.78', '1 mon', '0', '1.2345 seconds', '1 year 3 mons');
INSERT INTO t VALUES (2, '-01:02:03.5', '-1 mon -1 day', '1 microsecond', '-0.001 seconds', '-5 mons');
INSERT INTO t VALUES (3, '100 years', '1 mon -1 day +00:00:01', '99999:59:59.999999', NULL, NULL), (4, NULL, NULL, '-1 year', NULL, NULL);
INSERT INTO t VALUES (5, '1 mon', '7 days', '1000000 hours', '0.0005 s', '11 mons'), (6, '-1 year -2 mons +3 days -04:05:06.78', '10000 years', '3 days', NULL, NULL);
INSERT INTO t (id, n) VALUES (7, '1 second');
DELETE FROM t WHERE id = 1;

-- Intervals as ISO 8601 strings.
-- option: interval.handling.mode = string
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, i interval, d interval DEFAULT '1 day', n interval NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '1 year 2 mons 3 days 04:05:06.78', '1 mon', '0'), (2, '-01:02:03.5', '-1 mon -1 day', '1 microsecond'), (3, '100 years', '-0.5 seconds', '100:00:00');
INSERT INTO t VALUES (4, NULL, NULL, '-1 year -2 mons +3 days -04:05:06.78');
INSERT INTO t (id, n) VALUES (5, '00:00:00.000001');
DELETE FROM t WHERE id = 1;

-- timetz: in UTC, with as few digits as will do.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, t timetz, t0 timetz(0), t3 timetz(3), d timetz DEFAULT '01:02:03+04', n timetz NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '13:51:30.123789+02', '13:51:30+02', '13:51:30.12+02', '23:59:59.999999+00', '00:00+00');
INSERT INTO t VALUES (2, '24:00:00+00', '24:00:00+00', '13:51+02', '00:00:00+14', '12:00:00-12:30');
INSERT INTO t VALUES (3, NULL, NULL, NULL, NULL, '01:00:00.1+15:59');
INSERT INTO t (id, n) VALUES (4, '12:00-08');
DELETE FROM t WHERE id = 1;

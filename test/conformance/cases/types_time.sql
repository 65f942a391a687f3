-- time of each precision.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, t time, t0 time(0), t1 time(1), t3 time(3), t4 time(4), t6 time(6), d time DEFAULT '01:02:03.456789', n time NOT NULL, d3 time(3) DEFAULT '04:05:06.7');
-- (workload)
INSERT INTO t VALUES (1, '13:51:30', '13:51:30', '13:51:30.1', '13:51:30.123', '13:51:30.1234', '13:51:30.123456', '00:00', '23:59:59.999999', '01:01:01');
INSERT INTO t VALUES (2, '24:00:00', '24:00:00', '24:00:00', '24:00:00', '24:00:00', '24:00:00', '24:00:00', '24:00:00', '24:00:00');
INSERT INTO t VALUES (3, '00:00:00.000001', '00:00', '00:00:00.1', '00:00:00.001', '00:00:00.0001', '00:00:00.000001', NULL, '00:00:01', NULL);
INSERT INTO t VALUES (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '12:00');
INSERT INTO t (id, n) VALUES (5, '12:34:56.7');
DELETE FROM t WHERE id = 1;

-- Heartbeats.
-- alone: heartbeats belong to no table
-- option: heartbeat.interval.ms = 200
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
-- (workload)
INSERT INTO t VALUES (1);
-- (wait)
SELECT pg_sleep(0.7);
INSERT INTO t VALUES (2);
-- (wait)
SELECT pg_sleep(0.7);
INSERT INTO t VALUES (3);

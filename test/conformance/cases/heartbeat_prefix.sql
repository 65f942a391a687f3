-- Heartbeats under another prefix, without schemas.
-- alone: heartbeats belong to no table
-- option: heartbeat.interval.ms = 200
-- option: topic.heartbeat.prefix = beats
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
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

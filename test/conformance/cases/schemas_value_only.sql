-- Schemas of values, none of keys.
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t VALUES (1, 'v');
DELETE FROM t;

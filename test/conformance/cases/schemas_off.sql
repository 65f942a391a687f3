-- No schemas at all.
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, d int DEFAULT 5);
-- (workload)
INSERT INTO t VALUES (1, 'v', NULL), (2, NULL, 1);
UPDATE t SET v = 'w';
DELETE FROM t;

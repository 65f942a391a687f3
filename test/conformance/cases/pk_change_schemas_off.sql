-- A changed key without schemas.
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: tombstones.on.delete = false
-- (schema)
CREATE TABLE t (a int PRIMARY KEY, v text, n numeric(5,2));
-- (workload)
INSERT INTO t VALUES (1, 'v', 1.5);
UPDATE t SET a = 2;
DELETE FROM t;

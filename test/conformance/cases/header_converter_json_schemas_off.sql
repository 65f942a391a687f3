-- Headers as JSON without schemas.
-- option: header.converter = org.apache.kafka.connect.json.JsonConverter
-- option: header.converter.schemas.enable = false
-- (schema)
CREATE TABLE t (id int, v text, PRIMARY KEY (id, v));
-- (workload)
INSERT INTO t VALUES (1, 'v"');
UPDATE t SET id = 2;

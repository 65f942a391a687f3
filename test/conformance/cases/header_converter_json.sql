-- Headers as JSON with schemas.
-- option: header.converter = org.apache.kafka.connect.json.JsonConverter
-- (schema)
CREATE TABLE t (id int, v text, n numeric(4,1), PRIMARY KEY (id, v));
-- (workload)
INSERT INTO t VALUES (1, 'v"', 1.5);
UPDATE t SET id = 2;
DELETE FROM t;

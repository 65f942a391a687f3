-- The same for a key that may be null.
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.replace.null.with.default = false
-- (schema)
CREATE TABLE t (a int DEFAULT 5, b int DEFAULT 6, UNIQUE (a, b));
-- (workload)
INSERT INTO t VALUES (NULL, 1), (1, NULL), (DEFAULT, DEFAULT);

-- NULL stays null beside a default, and source.snapshot with it.
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.replace.null.with.default = false
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d int DEFAULT 5, s text DEFAULT 'x', n int NOT NULL DEFAULT 7);
-- (workload)
INSERT INTO t VALUES (1, NULL, NULL, 1);
INSERT INTO t (id) VALUES (2);
DELETE FROM t;

-- Partitions of keys without schemas.
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- partitions: 7
-- (schema)
CREATE TABLE t (id bigint PRIMARY KEY);
CREATE TABLE s (a text, b uuid, PRIMARY KEY (b, a));
-- (workload)
INSERT INTO t SELECT g * 7919 FROM generate_series(-20, 60) g;
INSERT INTO s SELECT 'ключ ' || g, md5(g::text)::uuid FROM generate_series(1, 40) g;

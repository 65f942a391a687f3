-- Masked, cut, hashed and left-out columns, without schemas.
-- option: incremental.snapshot.chunk.size = 2
-- option: column.mask.with.5.chars = incremental_columns\.t\.secret
-- option: column.truncate.to.4.chars = incremental_columns\.t\.long
-- option: column.exclude.list = incremental_columns\.t\.hidden
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: decimal.handling.mode = string
-- option: binary.handling.mode = hex
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, secret text, long text, hidden int, n numeric(8,3), b bytea);
INSERT INTO t SELECT g, 'secret ' || g, nullif(repeat('é', g * 2), 'éé'), g, g / 8.0, decode(lpad(g::text, 2, '0'), 'hex') FROM generate_series(1, 3) g;
-- (workload)
INSERT INTO t VALUES (4, NULL, NULL, NULL, NULL, NULL);
-- (snapshot) t
UPDATE t SET secret = 'changed' WHERE id = 1;

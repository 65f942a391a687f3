-- The content in hexadecimal, without schemas.
-- alone: messages belong to no table
-- option: binary.handling.mode = hex
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- (workload)
SELECT pg_logical_emit_message(true, 'foo', 'hello');
SELECT pg_logical_emit_message(true, 'foo', '');

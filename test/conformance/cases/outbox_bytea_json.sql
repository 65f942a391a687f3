-- A payload of bytes as JSON.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload bytea);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_bytea_json', '1', 'Kind0', '\x00ff10');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_bytea_json', '2', 'Kind1', '\x');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_bytea_json', '3', 'Kind0', NULL);

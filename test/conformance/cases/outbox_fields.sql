-- Columns of other names.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.table.field.event.id = eid
-- option: transforms.outbox.table.field.event.key = ekey
-- option: transforms.outbox.table.field.event.payload = body
-- option: transforms.outbox.route.by.field = etopic
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, eid text, ekey bigint, body json, etopic text);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_fields', '1', 'Kind0', '{}', 'e1', 7, '{"b": 1}', 'outbox_fields.x');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_fields', '2', 'Kind1', '{}', 'e2', NULL, 'null', 'outbox_fields.x');

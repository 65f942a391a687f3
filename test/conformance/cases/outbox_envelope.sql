-- Columns in an envelope around the payload.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.table.fields.additional.placement = type:envelope:eventType,n:envelope
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n int);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_envelope', '1', 'Kind0', '{"a": 1}', 5);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_envelope', '2', 'Kind1', NULL, NULL);

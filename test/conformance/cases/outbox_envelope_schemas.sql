-- Columns in an envelope, with schemas and several routes.
-- outbox: outbox
-- option: transforms.outbox.table.fields.additional.placement = type:envelope:eventType,n:envelope,type:header:t
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n int);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_envelope_schemas', '1', 'Kind0', '{"a": 1}', 5);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_envelope_schemas', '2', 'Kind1', NULL, NULL);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060077', 'outbox_envelope_schemas.other', '7', 'K', '{}', 1);

-- A column is the schema's version.
-- outbox: outbox
-- option: transforms.outbox.table.field.event.schema.version = v
-- option: transforms.outbox.table.fields.additional.placement = type:envelope
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, v int);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_schema_version', '1', 'Kind0', '{}', 1);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_schema_version', '2', 'Kind1', '{}', 2);

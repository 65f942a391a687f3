-- Columns as headers, with and without alias.
-- outbox: outbox
-- option: transforms.outbox.table.fields.additional.placement = type:header:eventType,n:header,b:header:flag,u:header,z:header,x:header
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n int, b bool, u uuid, z timestamptz, x bytea);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_header', '1', 'Kind0', '{}', 5, true, '406c07f3-26f0-4eea-a50c-109940064b8f', '2020-01-01 00:00+00', '\x0102');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_header', '2', 'Kind1', '{}', NULL, NULL, NULL, NULL, NULL);

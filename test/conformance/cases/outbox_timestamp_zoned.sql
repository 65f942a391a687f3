-- A column with a time zone cannot be the record's time.
-- outbox: outbox
-- halts: timestamptz is no timestamp to the router
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.table.field.event.timestamp = ts
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, ts timestamptz);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_timestamp_zoned', '1', 'Kind0', '{}', '2020-01-02 03:04:05.678+00');

-- A column that is the partition.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.table.fields.additional.placement = p:partition
-- partitions: 3
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, p int);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_partition', '1', 'Kind0', '{}', 0);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_partition', '2', 'Kind1', '{}', 0);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_partition', '3', 'Kind0', '{}', 0);

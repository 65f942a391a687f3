-- A transaction's rows keep their order.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: provide.transaction.metadata = true
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_transaction', '1', 'Kind0', '{}');
BEGIN;
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060050', 'outbox_transaction', 'same', 'K', '{"n": 0}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060051', 'outbox_transaction', 'same', 'K', '{"n": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060052', 'outbox_transaction', 'same', 'K', '{"n": 2}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060053', 'outbox_transaction', 'same', 'K', '{"n": 3}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060054', 'outbox_transaction', 'same', 'K', '{"n": 4}');
COMMIT;

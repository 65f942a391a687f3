-- Transactions without schemas, under another topic's name, with a filtered table and skipped updates.
-- alone: transactions belong to no table
-- option: provide.transaction.metadata = true
-- option: topic.transaction = tx
-- option: skipped.operations = u,t
-- option: table.exclude.list = transaction_metadata_schemas_off.b
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v int);
CREATE TABLE b (id int PRIMARY KEY);
-- (workload)
BEGIN;
INSERT INTO a VALUES (1, 1), (2, 2);
INSERT INTO b VALUES (1);
UPDATE a SET v = 3 WHERE id = 1;
COMMIT;
INSERT INTO b VALUES (2);
UPDATE a SET v = 4;

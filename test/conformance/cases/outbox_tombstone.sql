-- An empty payload is a tombstone.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.route.tombstone.on.empty.payload = true
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload text);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_tombstone', '1', 'Kind0', 'x');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_tombstone', '2', 'Kind1', '');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_tombstone', '3', 'Kind0', '  ');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060003', 'outbox_tombstone', '4', 'Kind1', NULL);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060004', 'outbox_tombstone', '5', 'Kind0', '{}');

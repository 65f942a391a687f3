-- What cannot be expanded stays a string.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.table.expand.json.payload = true
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload text);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_expand_losses', '1', 'Kind0', '{"a": [1, "x"]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_expand_losses', '2', 'Kind1', '{"a": [1, 3000000000]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_expand_losses', '3', 'Kind0', '{"a": [1, 1.5]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060003', 'outbox_expand_losses', '4', 'Kind1', '{broken');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060004', 'outbox_expand_losses', '5', 'Kind0', '[broken');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060005', 'outbox_expand_losses', '6', 'Kind1', ' {"a": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060006', 'outbox_expand_losses', '7', 'Kind0', '{"a": [null, null]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060007', 'outbox_expand_losses', '8', 'Kind1', '{"a": [null, 1]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060008', 'outbox_expand_losses', '9', 'Kind0', '{"a": 1, "a": 2}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060009', 'outbox_expand_losses', '10', 'Kind1', '{"a": 1e3}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060010', 'outbox_expand_losses', '11', 'Kind0', '{"a": [[], [1]]}');

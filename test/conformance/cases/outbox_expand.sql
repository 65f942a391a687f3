-- Payloads expanded to JSON.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.schemas.enable = false
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.schemas.enable = false
-- option: transforms.outbox.table.expand.json.payload = true
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_expand', '1', 'Kind0', '{"a": 1, "b": "x", "c": true, "d": 1.5, "e": 3000000000}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_expand', '2', 'Kind1', '{"o": {"p": {"q": [1, 2]}}}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_expand', '3', 'Kind0', '{"n": null, "m": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060003', 'outbox_expand', '4', 'Kind1', '{}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060004', 'outbox_expand', '5', 'Kind0', '{"empty": [], "a": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060005', 'outbox_expand', '6', 'Kind1', '{"a": [{"x": 1}, {"y": "z"}]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060006', 'outbox_expand', '7', 'Kind0', '"text"');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060007', 'outbox_expand', '8', 'Kind1', '5');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060008', 'outbox_expand', '9', 'Kind0', NULL);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060009', 'outbox_expand', '10', 'Kind1', '{"a": {"b": {}}}');

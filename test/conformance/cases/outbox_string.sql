-- Keys and values as the strings they are.
-- outbox: outbox
-- option: key.converter = org.apache.kafka.connect.storage.StringConverter
-- option: value.converter = org.apache.kafka.connect.storage.StringConverter
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload json);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_string', '1', 'Kind0', '{"id": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_string', '2', 'Kind1', '[1]');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_string', '3', 'Kind0', '"text"');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060003', 'outbox_string', '4', 'Kind1', NULL);
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060004', 'outbox_string', '5', 'Kind0', '{"ä": "\\n"}');

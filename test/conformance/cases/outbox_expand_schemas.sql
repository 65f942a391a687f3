-- Payloads expanded to JSON, with the schemas inferred.
-- outbox: outbox
-- option: transforms.outbox.table.expand.json.payload = true
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060000', 'outbox_expand_schemas', '1', 'Kind0', '{"a": 1, "b": "x", "c": true, "d": 1.5, "e": 3000000000}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060001', 'outbox_expand_schemas', '2', 'Kind1', '{"o": {"p": {"q": [1, 2]}}}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060002', 'outbox_expand_schemas', '3', 'Kind0', '{"n": null, "m": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060003', 'outbox_expand_schemas', '4', 'Kind1', '{"a": [{"x": 1}, {"y": "z"}]}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940060004', 'outbox_expand_schemas', '5', 'Kind0', '{"a": [[1], [2, 3]]}');

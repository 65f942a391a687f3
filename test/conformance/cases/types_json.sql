-- json as it was written, jsonb as PostgreSQL prints it: text in both cases.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, j json, b jsonb, d json DEFAULT '{"a": 1}', bd jsonb DEFAULT '{"b":2}', n json NOT NULL, bn jsonb NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '{"bar":   "baz", "bar": 1}', '{"bar":   "baz", "a": [1,2.50,null]}', '1', '"x"', '[]', '{}');
INSERT INTO t VALUES (2, 'null', 'null', NULL, NULL, '"\u00e4\n"', '"\u00e4\n"'), (3, NULL, NULL, NULL, NULL, ' {} ', '1e400');
INSERT INTO t (id, n, bn) VALUES (4, '{}', '[]');
DELETE FROM t WHERE id = 1;

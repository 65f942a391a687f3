-- Columns hashed.
-- option: column.mask.hash.SHA-256.with.salt.CzQMA0cB5K = column_hash.t.v,column_hash.t.s
-- option: column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K = column_hash.t.w
-- option: column.mask.hash.MD5.with.salt.x = column_hash.t.m
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, w text, m text, s varchar(10), x text NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 'secret', 'secret', 'secret', 'secret', 'open'), (2, NULL, NULL, NULL, NULL, ''), (3, '', 'äöü', '日本', 'ä', 'x');
DELETE FROM t WHERE id = 1;

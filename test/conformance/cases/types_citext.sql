-- citext.
-- (schema)
CREATE TABLE t (id citext PRIMARY KEY, v citext, d citext DEFAULT 'Abc', n citext NOT NULL);
-- (workload)
INSERT INTO t VALUES ('Key', 'MiXed', 'x', 'y'), ('other', NULL, NULL, '');
INSERT INTO t (id, n) VALUES ('third', 'z');
UPDATE t SET v = 'Changed' WHERE id = 'KEY';
DELETE FROM t WHERE id = 'key';

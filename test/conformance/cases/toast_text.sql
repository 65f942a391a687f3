-- A large value that an update leaves alone, by type: a placeholder.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, x text, v varchar, b bpchar, c citext, l ltree, m xml, j json, jb jsonb, s tsvector);
DO $$ BEGIN EXECUTE (SELECT string_agg(format('ALTER TABLE t ALTER %I SET STORAGE EXTERNAL', a), ';') FROM unnest(ARRAY['x','v','b','c','l','m','j','jb','s']) a); END $$;
-- (workload)
INSERT INTO t (id, n, x) VALUES (1, 1, repeat('x', 2100));
INSERT INTO t (id, n, v) VALUES (2, 1, repeat('x', 2100));
INSERT INTO t (id, n, b) VALUES (3, 1, repeat('x', 2100));
INSERT INTO t (id, n, c) VALUES (4, 1, repeat('x', 2100));
INSERT INTO t (id, n, l) VALUES (5, 1, (SELECT string_agg('abcdefg' || g, '.') FROM generate_series(100, 310) g)::ltree);
INSERT INTO t (id, n, m) VALUES (6, 1, ('<a>' || repeat('x', 2100) || '</a>')::xml);
INSERT INTO t (id, n, j) VALUES (7, 1, ('"' || repeat('x', 2100) || '"')::json);
INSERT INTO t (id, n, jb) VALUES (8, 1, ('"' || repeat('x', 2100) || '"')::jsonb);
INSERT INTO t (id, n, s) VALUES (9, 1, (SELECT string_agg('abcdefg' || g, ' ') FROM generate_series(100, 310) g)::tsvector);
UPDATE t SET n = 2;

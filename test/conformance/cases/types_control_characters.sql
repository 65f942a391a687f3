-- Every control character.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t SELECT g, 'a' || chr(g) || 'b' FROM generate_series(1, 31) g;
INSERT INTO t SELECT g, 'a' || chr(g) || 'b' FROM generate_series(127, 160) g;

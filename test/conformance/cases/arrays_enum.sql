-- Arrays of an enum.
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, m mood[], n mood[] NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '{sad,ok}', '{ok}'), (2, '{}', '{}'), (3, NULL, '{sad}');
DELETE FROM t WHERE id = 1;

-- Tables that come while the readers stream.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
-- (workload)
CREATE TABLE u (id int PRIMARY KEY, v text DEFAULT 'x');
INSERT INTO u VALUES (1, 'a');
-- (wait)
ALTER TABLE u RENAME TO w;
INSERT INTO w VALUES (2, 'b');

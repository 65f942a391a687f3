-- A column is added while both readers stream.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t VALUES (1, 'before');
-- (wait)
ALTER TABLE t ADD COLUMN n int NOT NULL DEFAULT 3;
INSERT INTO t VALUES (2, 'after', 4);
-- (wait)
ALTER TABLE t DROP COLUMN v;
INSERT INTO t VALUES (3, 4);

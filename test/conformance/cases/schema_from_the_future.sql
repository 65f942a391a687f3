-- The catalogue has gone on when old changes are read.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int DEFAULT 5);
-- (workload)
INSERT INTO t VALUES (1, 'a', 1);
ALTER TABLE t DROP COLUMN a;
INSERT INTO t VALUES (2, 2);
ALTER TABLE t ALTER b SET DEFAULT 6, ALTER b SET NOT NULL;
INSERT INTO t VALUES (3, 3);

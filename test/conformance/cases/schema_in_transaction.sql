-- DDL between rows of one transaction.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a text);
-- (workload)
BEGIN;
INSERT INTO t VALUES (1, 'a');
ALTER TABLE t ADD COLUMN b int;
INSERT INTO t VALUES (2, 'b', 2);
ALTER TABLE t DROP COLUMN a;
INSERT INTO t VALUES (3, 3);
COMMIT;

-- Savepoints, kept and rolled back.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
BEGIN;
INSERT INTO t VALUES (1, 'kept');
SAVEPOINT a;
INSERT INTO t VALUES (2, 'lost');
ROLLBACK TO a;
SAVEPOINT b;
INSERT INTO t VALUES (3, 'kept');
RELEASE b;
COMMIT;
BEGIN;
INSERT INTO t VALUES (4, 'lost');
ROLLBACK;

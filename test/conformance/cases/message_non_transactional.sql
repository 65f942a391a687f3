-- Logical messages outside of transactions.
-- alone: messages belong to no table
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
-- (workload)
INSERT INTO t VALUES (1);
SELECT pg_logical_emit_message(false, 'foo', 'first');
BEGIN;
INSERT INTO t VALUES (2);
SELECT pg_logical_emit_message(false, 'foo', 'from a transaction');
INSERT INTO t VALUES (3);
COMMIT;
BEGIN;
SELECT pg_logical_emit_message(false, 'foo', 'from one that is rolled back');
SELECT pg_logical_emit_message(true, 'foo', 'lost');
ROLLBACK;
INSERT INTO t VALUES (4);

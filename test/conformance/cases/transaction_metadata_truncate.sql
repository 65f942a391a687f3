-- TRUNCATE in transactions.
-- alone: transactions belong to no table
-- partitions: 1
-- option: provide.transaction.metadata = true
-- option: skipped.operations = none
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v int);
-- (workload)
BEGIN;
INSERT INTO a VALUES (1, 1);
TRUNCATE a;
INSERT INTO a VALUES (2, 2);
COMMIT;

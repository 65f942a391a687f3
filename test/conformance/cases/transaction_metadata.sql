-- The topic of transactions, and the block in each event.
-- alone: transactions belong to no table
-- option: provide.transaction.metadata = true
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v int);
CREATE TABLE b (id int PRIMARY KEY);
-- (workload)
BEGIN;
INSERT INTO a VALUES (1, 1), (2, 2);
INSERT INTO b VALUES (1);
UPDATE a SET v = 3 WHERE id = 1;
COMMIT;
UPDATE a SET id = 9 WHERE id = 2;
DELETE FROM a;
BEGIN;
INSERT INTO a VALUES (5, 5);
ROLLBACK;

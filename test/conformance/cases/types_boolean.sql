-- Booleans, with and without default, and what a delete fills in.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, b boolean, d boolean DEFAULT true, n boolean NOT NULL, nd boolean NOT NULL DEFAULT true);
-- (workload)
INSERT INTO t VALUES (1, true, false, true, false), (2, false, true, false, true), (3, NULL, NULL, true, true);
INSERT INTO t (id, n) VALUES (4, false);
UPDATE t SET b = NOT b WHERE id < 3;
DELETE FROM t WHERE id IN (1, 3);

-- money with other digits.
-- option: money.fraction.digits = 3
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, m money, n money NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 1234.11, 5), (2, NULL, -0.01);
DELETE FROM t WHERE id = 1;

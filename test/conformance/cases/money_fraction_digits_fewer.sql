-- money with fewer digits than it has: rounded.
-- option: money.fraction.digits = 1
-- option: decimal.handling.mode = string
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, m money);
-- (workload)
INSERT INTO t VALUES (1, 1234.15), (2, -0.05), (3, 0.04);

-- money in the locale C.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, m money, d money DEFAULT 5.5, n money NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 1234.11, 1, 2), (2, -1234.11, 0, -0.01), (3, '92233720368547758.07', NULL, '-92233720368547758.08'), (4, NULL, 1, 1000000);
INSERT INTO t (id, n) VALUES (5, 0.5);
DELETE FROM t WHERE id = 1;

-- Decimals as strings.
-- option: decimal.handling.mode = string
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a numeric(10,4), b numeric, m money, d numeric(5,1) DEFAULT 1.5, u numeric DEFAULT 2.50, r numeric[], p numeric(6,3)[], md money DEFAULT 3);
-- (workload)
INSERT INTO t VALUES (1, 22.22, 10.1100, 1234.11, 2, 3, '{1.50,NULL}', '{2.125}', 4), (2, -0.01, 123456789012345678901234567890.123, -1, 0, 0.0000001, '{}', '{}', NULL), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO t VALUES (4, 'NaN', 'NaN', 0, 0, 0, '{1e-7}', NULL, 0), (5, 0, 'Infinity', 0, 0, 0, NULL, NULL, 0), (6, 0, '-Infinity', 0, 0, 1e25, NULL, NULL, 0);
DELETE FROM t WHERE id = 1;

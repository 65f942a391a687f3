-- NaN and the infinities have no Decimal.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a numeric(10,2), b numeric, c numeric(10,2) DEFAULT 7);
-- (workload)
INSERT INTO t VALUES (1, 'NaN', 'NaN', 'NaN');
INSERT INTO t VALUES (2, 1, 'Infinity', 2), (3, 1, '-Infinity', 2);

-- Floating point: how Java prints numbers, and what no JSON number can say.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, r real, d double precision, rn real NOT NULL DEFAULT 1.5, dn double precision NOT NULL DEFAULT -2.25e10);
-- (workload)
INSERT INTO t VALUES (1, 3.3, 4.0, 0, 0);
INSERT INTO t VALUES (2, 'NaN', 'NaN'), (3, 'Infinity', 'Infinity'), (4, '-Infinity', '-Infinity');
INSERT INTO t VALUES (5, 1e-3, 1e-3), (6, 9.99e-4, 9.99e-4), (7, 9999999, 9999999), (8, 1e7, 1e7), (9, 1e10, 1.234567890123e12);
INSERT INTO t VALUES (10, 1.17549435e-38, 2.2250738585072014e-308), (11, 3.4028235e38, 1.7976931348623157e308);
INSERT INTO t VALUES (12, 1e-45, 4.9e-324), (13, -0.0, -0.0), (14, 0.1, 0.1), (15, 16777216, 9007199254740993), (16, 123456.789, 123456.789);
INSERT INTO t VALUES (17, 2e-44, 2e-323), (18, 8.41e21, 2.0e-3), (19, 1.0e23, 1.0e23), (20, 0.3, 0.30000000000000004), (21, 100, 12345678);
INSERT INTO t VALUES (22, NULL, NULL);
DELETE FROM t WHERE id = 1;

-- numeric without scale: a struct with a scale of its own.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a numeric, b numeric DEFAULT 3.14, c numeric NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 10.1111, 1, 1.50), (2, 100, 2, 0.00), (3, -0.001, NULL, 1e20), (4, NULL, 0.1, 123456789012345678901234567890.123456789);
INSERT INTO t VALUES (5, 1e-20, 1000000, 10.10), (6, -128, -1, 128), (7, 1200.00, 0, 0.10);
INSERT INTO t (id, c) VALUES (8, 5);
DELETE FROM t WHERE id = 2;

-- Scales that are negative, or larger than the precision (PostgreSQL 15).
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a numeric(3,5), b numeric(10,10));
-- (workload)
INSERT INTO t VALUES (1, 0.00123, 0.0123456789), (2, -0.00999, -0.9999999999), (3, NULL, 0);

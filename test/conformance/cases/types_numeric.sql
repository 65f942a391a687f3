-- numeric(p,s): the unscaled value as big-endian two's complement.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a numeric(10,2), b numeric(5), c numeric(3,3), d numeric(38,10), e numeric(10,2) DEFAULT 12.34,
    f numeric(12,0) NOT NULL DEFAULT 0.0, g decimal(4,1) NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 12.34, 12345, 0.123, 1234567890.0123456789, 1, 2, 3.5);
INSERT INTO t VALUES (2, -12.34, -99999, -0.999, -9999999999999999999999999999.9999999999, -1, -2, -999.9);
INSERT INTO t VALUES (3, 0, 0, 0, 0, 0, 0, 0), (4, 1.28, 128, 0.128, 0.0000000001, -1.28, 255, 25.6), (5, 3.3, 1, 0.001, 256, NULL, 65536, 0.1);
INSERT INTO t VALUES (6, 99999999.99, NULL, NULL, 123456789012345678.901234567, 0.01, 999999999999, 999.9);
INSERT INTO t (id, g) VALUES (7, 1);
DELETE FROM t WHERE id IN (1, 7);

-- Integers at their limits, NULL, and with defaults.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, s smallint, i integer, b bigint, sn smallint NOT NULL DEFAULT 7, d integer DEFAULT 5, o oid);
-- (workload)
INSERT INTO t VALUES (1, 1, 2, 3, 4, 6, 4000000000);
INSERT INTO t VALUES (2, -32768, -2147483648, -9223372036854775808, 0, -1, 0);
INSERT INTO t VALUES (3, 32767, 2147483647, 9223372036854775807, 1, NULL, NULL);
INSERT INTO t (id) VALUES (4);
UPDATE t SET i = 8 WHERE id = 1;
DELETE FROM t WHERE id = 3;

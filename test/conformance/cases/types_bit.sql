-- Bit strings: little-endian bytes, one bit a boolean.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, b1 bit, b2 bit(2), b7 bit(7), b33 bit(33), v1 varbit(1), v5 varbit(5), v varbit, d bit(4) DEFAULT B'1010',
    n1 bit NOT NULL DEFAULT B'1', n bit(9) NOT NULL, vd varbit(8) DEFAULT B'101');
-- (workload)
INSERT INTO t VALUES (1, B'1', B'11', B'1000000', B'111011010001000110000001000000001', B'1', B'10101', B'000000110000001000000001', B'0001', B'0', B'100000001', B'1');
INSERT INTO t VALUES (2, B'0', B'00', B'0000001', B'000000000000000000000000000000001', B'0', B'1', B'00', B'0000', B'1', B'000000000', B'');
INSERT INTO t VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, B'1', B'111111111', NULL);
INSERT INTO t (id, n) VALUES (4, B'010000000');
INSERT INTO t (id, n, v5, v) VALUES (5, B'010000000', B'', B'');
DELETE FROM t WHERE id = 1;

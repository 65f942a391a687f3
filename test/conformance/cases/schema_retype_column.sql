-- A column gets another type.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a int, n numeric(5,1));
-- (workload)
INSERT INTO t VALUES (1, 5, 1.5);
-- (wait)
ALTER TABLE t ALTER a TYPE text, ALTER n TYPE numeric(10,3);
INSERT INTO t VALUES (2, 'b', 2.125);
-- (wait)
ALTER TABLE t ALTER id TYPE bigint;
INSERT INTO t VALUES (3000000000, 'c', 3);

-- Unknown types included, in hexadecimal.
-- option: include.unknown.datatypes = true
-- option: binary.handling.mode = hex
-- (schema)
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (id int PRIMARY KEY, c pair, m int4multirange, l pg_lsn, n pair NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '(1,x)', '{[1,2),[5,6)}', '0/16B3748', '(1,ä)'), (2, NULL, NULL, NULL, '(,)');
DELETE FROM t WHERE id = 1;

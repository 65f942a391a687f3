-- Unknown types included, as bytes of their text.
-- option: include.unknown.datatypes = true
-- (schema)
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (id int PRIMARY KEY, c pair, m int4multirange, l pg_lsn, x xid, q tsquery, j jsonpath, s pg_snapshot, r regclass, lq lquery, i isbn13, nm name, v int, n pair NOT NULL, nn name NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, '(1,x)', '{[1,2),[5,6)}', '0/16B3748', '1', 'a', '$.a', '1:2:', 'pg_class', '*', '978-0-393-04002-9', 'nm', 9, '(2,"y ""z")', 'b'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '(,)', 'c');
UPDATE t SET l = '0/1' WHERE id = 1;
DELETE FROM t WHERE id = 1;

-- The type name, and other system types that are strings to nobody.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n name, nn name NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 'a_name', 'b'), (2, NULL, '');
DELETE FROM t WHERE id = 1;

-- Arrays that are left out, with unknown types included.
-- option: include.unknown.datatypes = true
-- (schema)
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int;
CREATE TABLE t (id int PRIMARY KEY, m money[], n name[], i interval[], v varbit[], x xml[], p point[], c pair[], d small[], r int4multirange[], l pg_lsn[], z int);
-- (workload)
INSERT INTO t VALUES (1, '{1}', '{a}', '{1 day}', '{101}', '{<a/>}', '{"(1,2)"}', '{"(1,x)"}', '{1}', '{"{[1,2)}"}', '{0/1}', 5), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

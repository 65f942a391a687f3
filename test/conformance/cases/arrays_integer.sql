-- Arrays of integers, oids and booleans.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, s int2[], i int4[], b int8[], o oid[], l bool[], n int4[] NOT NULL, d int4[] DEFAULT '{1,2}');
-- (workload)
INSERT INTO t VALUES (1, '{1,-32768,32767}', '{1,NULL,-2147483648}', '{9223372036854775807,NULL}', '{4000000000}', '{t,f,NULL}', '{7}', '{3}');
INSERT INTO t VALUES (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}'), (3, NULL, NULL, NULL, NULL, NULL, '{NULL}', NULL);
INSERT INTO t (id, n) VALUES (4, '{1}');
DELETE FROM t WHERE id = 1;

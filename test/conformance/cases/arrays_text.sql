-- Arrays of strings: quoting, nulls, the string NULL.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, x text[], v varchar(10)[], c char(3)[], b bpchar[], n text[] NOT NULL, q "char"[]);
-- (workload)
INSERT INTO t VALUES (1, '{one,"two, with comma","quote \" and \\ backslash",NULL,"NULL",""}', '{a,b}', '{a,bcd}', '{x}', '{}', '{a}');
INSERT INTO t VALUES (2, '{}', '{}', '{}', '{}', '{"{}"," "}', '{}'), (3, NULL, NULL, NULL, NULL, '{äöü,日本,😀}', NULL);
DELETE FROM t WHERE id = 1;

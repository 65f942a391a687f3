-- Character types: padding, empty strings, all that JSON has to escape, and what it has not.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, c char(5), v varchar(20), x text, q "char", d text DEFAULT 'dflt', n varchar NOT NULL, b bpchar);
-- (workload)
INSERT INTO t VALUES (1, 'ab', 'varchar', 'text', 'c', 'd', 'n', 'bp ');
INSERT INTO t VALUES (2, '', '', '', '', '', '', '');
INSERT INTO t VALUES (3, NULL, NULL, NULL, NULL, NULL, 'x', NULL);
INSERT INTO t VALUES (4, 'ä€', 'naïve', E'quote " backslash \\ slash / tab \t newline \n return \r backspace \b feed \f', 'z', E'\u0001\u001f\u007f\u0080\u00a0', E'\u2028\u2029\ufeff', NULL);
INSERT INTO t VALUES (5, '日本語', '😀 emoji', E'\U0001F600\U00010000\U0010FFFF', E'\\', '<>&''', 'ﬀ', 'ÿ');
INSERT INTO t (id, n) VALUES (6, 'defaults');
DELETE FROM t WHERE id = 4;

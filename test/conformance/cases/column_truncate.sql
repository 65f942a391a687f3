-- Columns truncated.
-- option: column.truncate.to.3.chars = column_truncate.t.(v|w|a)
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, w varchar(10) DEFAULT 'default', a char(8));
-- (workload)
INSERT INTO t VALUES (1, 'long', 'äöüß', 'x'), (2, NULL, NULL, NULL), (3, 'abc', '日本語です', 'abcdef'), (4, 'ab', '😀😀😀', NULL);

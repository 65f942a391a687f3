-- xml.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, x xml, n xml NOT NULL, d xml DEFAULT '<d/>');
-- (workload)
INSERT INTO t VALUES (1, '<a b="c">d</a>', '<x/>', '<y>"</y>'), (2, NULL, 'text only', NULL);
INSERT INTO t (id, n) VALUES (3, '<z/>');
DELETE FROM t WHERE id = 1;

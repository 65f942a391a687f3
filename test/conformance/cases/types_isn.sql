-- The product numbers of contrib/isn.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, i isbn, i13 isbn13, s issn, e ean13, u upc, m ismn);
-- (workload)
INSERT INTO t VALUES (1, '0-393-04002-X', '978-0-393-04002-9', '1436-4522', '978-0-393-04002-9', '036000291452', '979-0-060-11561-5'), (2, NULL, NULL, NULL, NULL, NULL, NULL);
DELETE FROM t WHERE id = 1;

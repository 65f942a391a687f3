-- Geometric types.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, p point, l line, s lseg, b box, h path, g polygon, c circle);
-- (workload)
INSERT INTO t VALUES (1, '(1,1)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(0,1),(1,1))', '<(10,20),10>');
INSERT INTO t VALUES (2, '(-1.5,2.25e10)', '[(0,0),(1,0.5)]', '[(-1.5,0.1),(1e-5,1e20)]', '(1.5,-2.5),(-3,7)', '((0,0),(1,1),(2,0))', '((1.5,2.5))', '<(0,0),0>');
INSERT INTO t VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, '(Infinity,NaN)', NULL, NULL, NULL, NULL, NULL, NULL);
DELETE FROM t WHERE id = 1;

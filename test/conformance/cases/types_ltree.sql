-- ltree.
-- (schema)
CREATE TABLE t (id ltree PRIMARY KEY, v ltree, d ltree DEFAULT 'a.b', n ltree NOT NULL, q lquery, x ltxtquery);
-- (workload)
INSERT INTO t VALUES ('Top.Science', 'Top.Science.Astronomy', 'x', 'y.z', '*.Science.*', 'Europe & Russia'), ('b', NULL, NULL, '', NULL, NULL);
INSERT INTO t (id, n) VALUES ('c', 'd');
DELETE FROM t WHERE id = 'Top.Science';

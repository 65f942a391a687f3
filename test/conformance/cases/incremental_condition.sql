-- Only the rows that a condition is true for.
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, n int);
CREATE TABLE none (id int PRIMARY KEY);
INSERT INTO t SELECT g, CASE WHEN g % 2 = 0 THEN 'even' ELSE 'it''s odd' END, nullif(g, 7) FROM generate_series(1, 12) g;
INSERT INTO none VALUES (1);
-- (workload)
INSERT INTO t VALUES (13, 'it''s odd', NULL);
-- (snapshot) t, none WHERE id > 2 AND (id < 4 OR id % 3 = 0)
INSERT INTO none VALUES (4);
-- (snapshot) t WHERE v = 'it''s odd' AND n IS NOT NULL
INSERT INTO t VALUES (14, 'even', 14);

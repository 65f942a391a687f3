-- All but some columns.
-- option: column.exclude.list = column_exclude.t.w,.*.y
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, w text NOT NULL);
CREATE TABLE u (id int PRIMARY KEY, x text, y text);
-- (workload)
INSERT INTO t VALUES (1, 'v', 'w');
UPDATE t SET w = 'x';
INSERT INTO u VALUES (1, 'x', 'y');
DELETE FROM t;

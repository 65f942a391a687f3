-- A publication with a list of columns, and one with a filter of rows.
-- publication: FOR TABLE t (id, v), f WHERE (id > 5)
-- alone: its publication names its tables
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, hidden int, v text);
CREATE TABLE f (id int PRIMARY KEY);
-- (workload)
INSERT INTO t VALUES (1, 2, 'v');
UPDATE t SET hidden = 3;
INSERT INTO f VALUES (1), (6);
UPDATE f SET id = id + 10;
DELETE FROM t;

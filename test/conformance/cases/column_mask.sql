-- Columns masked with asterisks.
-- option: column.mask.with.5.chars = column_mask.t.v,column_mask.t.n
-- option: column.mask.with.0.chars = column_mask.t.w
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, w varchar(10), n text NOT NULL DEFAULT 'd', x text);
-- (workload)
INSERT INTO t VALUES (1, 'secret', 'secret', 'secret', 'open'), (2, NULL, NULL, '', NULL);
DELETE FROM t WHERE id = 1;

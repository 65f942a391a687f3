-- A publication of inserts only.
-- publication: FOR ALL TABLES WITH (publish = 'insert')
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
INSERT INTO t VALUES (1, 'v');
UPDATE t SET v = 'w';
DELETE FROM t;

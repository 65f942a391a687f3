-- Arrays of hstore and ltree.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, h hstore[], l ltree[]);
-- (workload)
INSERT INTO t VALUES (1, ARRAY['a=>1,b=>NULL'::hstore, NULL], '{a.b,c}'), (2, '{}', '{}'), (3, NULL, NULL);

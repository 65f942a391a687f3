-- hstore as a map.
-- option: hstore.handling.mode = map
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, h hstore, n hstore NOT NULL, a hstore[], d hstore DEFAULT 'x=>y');
-- (workload)
INSERT INTO t VALUES (1, 'key1=>val1, key2=>NULL', 'x=>"y z"', ARRAY['a=>1'::hstore, NULL], 'a=>b'), (2, '', '', '{}', NULL), (3, NULL, '"quo\"te"=>"back\\slash"', NULL, NULL);
INSERT INTO t SELECT 4, hstore(array_agg('k' || g), array_agg('v' || g)), '', NULL FROM generate_series(1, 30) g;
DELETE FROM t WHERE id = 1;

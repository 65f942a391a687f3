-- hstore as JSON, in the order of a Java HashMap.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, h hstore, d hstore DEFAULT 'a=>1', n hstore NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 'key1=>val1, key2=>NULL', 'x=>y', ''), (2, NULL, NULL, '"quo\"te"=>"back\\slash", " space "=>""');
INSERT INTO t SELECT 3, hstore(array_agg('k' || g), array_agg('v' || g)), NULL, 'ä=>ö, 日=>本' FROM generate_series(1, 30) g;
INSERT INTO t VALUES (4, 'zeta=>1, alpha=>2, mid=>3, "Aa"=>4, "BB"=>5, "AaAa"=>6, "BBBB"=>7, "AaBB"=>8', NULL, 'one=>"multi
line"');
INSERT INTO t (id, n) VALUES (5, 'n=>"null"');
DELETE FROM t WHERE id = 1;

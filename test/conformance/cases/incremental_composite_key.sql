-- A chunk that ends inside of a value of the first key column; the key's columns in another order than the table's.
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE t (v text, b text, a int, PRIMARY KEY (a, b));
CREATE TABLE u (id uuid, k smallint, n numeric(6,2), PRIMARY KEY (n, k, id));
INSERT INTO t SELECT 'row', chr(97 + g % 4), g / 4 FROM generate_series(0, 9) g;
INSERT INTO u SELECT ('00000000-0000-0000-0000-00000000000' || g)::uuid, g % 3, g / 3 - 1.5 FROM generate_series(0, 7) g;
-- (workload)
-- (snapshot) t, u
UPDATE t SET v = 'changed' WHERE a = 1;

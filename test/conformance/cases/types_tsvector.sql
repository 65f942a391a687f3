-- tsvector, and tsquery, which is unknown.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v tsvector, q tsquery, n tsvector NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, to_tsvector('english', 'the direct insert of a word'), 'a & b', ''), (2, NULL, NULL, '''it''''s'':1A');
DELETE FROM t WHERE id = 1;

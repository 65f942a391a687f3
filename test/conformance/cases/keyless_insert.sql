-- No key, no replica identity: inserts with a null key.
-- (schema)
CREATE TABLE t (a int, v text);
-- (workload)
INSERT INTO t VALUES (1, 'a'), (1, 'a'), (NULL, NULL);

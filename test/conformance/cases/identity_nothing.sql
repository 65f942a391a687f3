-- REPLICA IDENTITY NOTHING: only inserts are published.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
ALTER TABLE t REPLICA IDENTITY NOTHING;
-- (workload)
INSERT INTO t VALUES (1, 'a'), (2, NULL);

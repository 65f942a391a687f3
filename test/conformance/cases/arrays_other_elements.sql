-- Arrays of other types go by their elements.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v tsvector[], i isbn[]);
-- (workload)
INSERT INTO t VALUES (1, ARRAY['a b'::tsvector], '{0-393-04002-X}'), (2, '{}', '{}'), (3, NULL, NULL);

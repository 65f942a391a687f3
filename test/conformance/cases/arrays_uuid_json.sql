-- Arrays of uuid, json and jsonb.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, u uuid[], j json[], b jsonb[]);
-- (workload)
INSERT INTO t VALUES (1, '{406c07f3-26f0-4eea-a50c-109940064b8f,NULL}', ARRAY['{"a":  1}', NULL]::json[], ARRAY['{"a":  1}', '"x"', NULL]::jsonb[]), (2, '{}', '{}', '{}'), (3, NULL, NULL, NULL);

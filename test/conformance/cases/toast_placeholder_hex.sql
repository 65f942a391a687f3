-- A placeholder given in hexadecimal.
-- option: unavailable.value.placeholder = hex:0102ff
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, x text, b bytea);
ALTER TABLE t ALTER x SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, repeat('x', 2100), convert_to(repeat('x', 2100), 'UTF8'));
UPDATE t SET n = 2;

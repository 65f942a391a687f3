-- Generated columns are not in the stream.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED, v text NOT NULL, up text GENERATED ALWAYS AS (upper(v)) STORED);
-- (workload)
INSERT INTO t (id, a, v) VALUES (1, 2, 'x'), (2, NULL, 'y');
UPDATE t SET a = 5 WHERE id = 2;
DELETE FROM t WHERE id = 1;

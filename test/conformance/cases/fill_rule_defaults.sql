-- A default stands in before any fallback.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 5, b text NOT NULL DEFAULT 'x', c bool NOT NULL DEFAULT true, d timestamp NOT NULL DEFAULT now(),
    e numeric(5,1) NOT NULL DEFAULT 1.5, f int[] NOT NULL DEFAULT '{1}', g inet NOT NULL DEFAULT '::1', h uuid NOT NULL DEFAULT gen_random_uuid());
-- (workload)
INSERT INTO t VALUES (1, 1, 'b', false, '2020-01-01', 1, '{2}', '::2', '406c07f3-26f0-4eea-a50c-109940064b8f');
DELETE FROM t WHERE id = 1;

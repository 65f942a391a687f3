-- Domains are their base types, with the length and scale of their chain.
-- (schema)
CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE >= 0);
CREATE DOMAIN discount AS price;
CREATE DOMAIN label AS varchar(5) DEFAULT 'lbl' NOT NULL;
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN paint AS colour;
CREATE DOMAIN bits3 AS bit(3);
CREATE DOMAIN moment AS timestamp(3);
CREATE DOMAIN ids AS int NOT NULL;
CREATE TABLE t (id ids PRIMARY KEY, p price, d discount DEFAULT 1.5, l label, c paint, b bits3, m moment, j jsonb);
-- (workload)
INSERT INTO t VALUES (1, 12.34, 0.5, 'abc', 'red', B'101', '2020-01-01 00:00:00.123', '{}'), (2, NULL, NULL, 'x', NULL, NULL, NULL, NULL);
INSERT INTO t (id) VALUES (3);
DELETE FROM t WHERE id = 1;

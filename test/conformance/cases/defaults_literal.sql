-- Defaults that are literals.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a smallint DEFAULT -1, b int DEFAULT 2147483647, c bigint DEFAULT 9223372036854775807, d real DEFAULT 1.5, e float8 DEFAULT -2.5e-5,
    f numeric(10,2) DEFAULT -12.3, g text DEFAULT 'it''s', h varchar(3) DEFAULT '', i char(4) DEFAULT 'ab', j bool DEFAULT false, k bit(3) DEFAULT B'101', l varbit DEFAULT B'1',
    m json DEFAULT '[]', n xml DEFAULT '<a/>', o uuid DEFAULT '406c07f3-26f0-4eea-a50c-109940064b8f', p text DEFAULT NULL, q int DEFAULT NULL, r bigint DEFAULT 0, s text DEFAULT 'a' || 'b',
    u int DEFAULT 1 + 1, v numeric DEFAULT 1.5, w bpchar DEFAULT 'x', x bit DEFAULT B'1', y int DEFAULT (-7));
-- (workload)
INSERT INTO t (id) VALUES (1);
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- Types whose defaults no schema has.
-- (schema)
CREATE DOMAIN amount AS numeric(10,2) DEFAULT 5;
CREATE TABLE t (id int PRIMARY KEY, a bytea DEFAULT '\x01', b int[] DEFAULT '{1}', c inet DEFAULT '::1', d hstore DEFAULT 'a=>1', e citext DEFAULT 'x', f name DEFAULT 'x', g money DEFAULT 1,
    h amount, i amount DEFAULT 7, j tsvector DEFAULT 'a', k int4range DEFAULT '[1,2)', l point DEFAULT '(1,2)', m macaddr DEFAULT '08:00:2b:01:02:03', n oid DEFAULT 1);
-- (workload)
INSERT INTO t (id) VALUES (1);
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

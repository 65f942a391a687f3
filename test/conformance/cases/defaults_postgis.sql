-- Defaults of PostGIS columns.
-- requires: postgis
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, g geometry DEFAULT 'POINT(1 2)', p geometry(Point, 4326) NOT NULL DEFAULT ST_SetSRID(ST_MakePoint(1, 2), 4326), o geography DEFAULT 'POINT(3 4)');
-- (workload)
INSERT INTO t (id) VALUES (1);
INSERT INTO t VALUES (2, NULL, 'SRID=4326;POINT(5 6)', NULL);
DELETE FROM t WHERE id = 1;

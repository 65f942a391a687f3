-- PostGIS: geometry and geography, with and without SRID, in two to four dimensions, empty.
-- requires: postgis
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, g geometry, p geometry(Point, 4326), r geometry(PointZM) NOT NULL, o geography, q geography(Point) NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 'POINT(1 2)', 'SRID=4326;POINT(-71.06 42.28)', 'POINTZM(1 2 3 4)', 'POINT(-110 30)', 'POINT(0 0)');
INSERT INTO t VALUES (2, 'SRID=3187;POLYGON((0 0,1 0,1 1,0 0),(0.1 0.1,0.2 0.1,0.2 0.2,0.1 0.1))', NULL, 'SRID=0;POINTZM(-0 1e300 1e-300 0)', 'LINESTRING(0 0,1 1)', 'SRID=4326;POINT(179.99 -89.99)');
INSERT INTO t VALUES (3, 'GEOMETRYCOLLECTION(POINT EMPTY,MULTIPOINT((1 2),(4 5)))', 'POINT EMPTY', 'POINTZM EMPTY', NULL, 'POINT EMPTY');
UPDATE t SET g = 'SRID=4326;CURVEPOLYGON(CIRCULARSTRING(0 0,4 0,4 4,0 4,0 0))', o = 'POLYGON EMPTY' WHERE id = 1;
DELETE FROM t WHERE id = 2;

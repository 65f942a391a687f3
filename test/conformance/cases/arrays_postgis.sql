-- Arrays of geometries and geographies, whose elements a colon separates.
-- requires: postgis
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, g geometry[], o geography(Point)[], r geometry[] NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, ARRAY['POINT(1 2)'::geometry, 'SRID=4326;LINESTRING(0 0,1 1)'], ARRAY['POINT(-110 30)'::geography], '{}');
INSERT INTO t VALUES (2, NULL, ARRAY[NULL, 'POINT(1 1)']::geography[], ARRAY['POINT EMPTY'::geometry, NULL]);
DELETE FROM t WHERE id = 1;

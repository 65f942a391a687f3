-- A TOASTed geometry that an update leaves alone, with and without the old row.
-- requires: postgis
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v int, g geometry, o geography);
CREATE TABLE f (id int PRIMARY KEY, v int, g geometry);
ALTER TABLE t ALTER g SET STORAGE EXTERNAL, ALTER o SET STORAGE EXTERNAL;
ALTER TABLE f ALTER g SET STORAGE EXTERNAL;
ALTER TABLE f REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t SELECT 1, 1, line, line::geography FROM (SELECT ST_SetSRID(ST_MakeLine(ARRAY(SELECT ST_MakePoint(n / 10.0, 1) FROM generate_series(1, 300) n)), 4326) AS line) l;
INSERT INTO f SELECT id, v, g FROM t;
UPDATE t SET v = 2;
UPDATE f SET v = 2;
DELETE FROM t;

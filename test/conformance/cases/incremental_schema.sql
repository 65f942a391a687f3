-- Tables that nothing was streamed of since they changed, or at all; a column that comes between two snapshots.
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, gone text);
INSERT INTO t SELECT g, 'row ' || g, 'gone' FROM generate_series(1, 4) g;
-- (workload)
INSERT INTO t VALUES (5, 'streamed before', 'gone');
-- (wait)
ALTER TABLE t DROP COLUMN gone, ADD COLUMN added int NOT NULL DEFAULT 7;
CREATE TABLE u (id bigint PRIMARY KEY, v varchar(10) NOT NULL DEFAULT 'dflt');
INSERT INTO u SELECT g FROM generate_series(1, 4) g;
-- (snapshot) t, u
UPDATE t SET v = 'streamed behind' WHERE id = 5;
-- (wait)
ALTER TABLE t ALTER COLUMN added TYPE bigint, ALTER COLUMN v SET NOT NULL;
-- (snapshot) t WHERE id > 3
INSERT INTO u VALUES (5);
INSERT INTO t VALUES (6, 'streamed last');

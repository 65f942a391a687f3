-- A table without a primary key, which is read by a unique index; the whole old row in the events behind it.
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE t (v text, a int NOT NULL, b text NOT NULL);
CREATE UNIQUE INDEX ON t (a, b);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t SELECT repeat('x', g), g / 2, 'b' || g FROM generate_series(1, 5) g;
-- (workload)
DELETE FROM t WHERE a = 0;
-- (snapshot) t
UPDATE t SET v = 'streamed behind' WHERE a = 1;

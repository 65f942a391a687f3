-- Several chunks, between changes that are streamed before and behind them, and twice.
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 7) g;
-- (workload)
UPDATE t SET v = 'streamed before' WHERE id = 2;
INSERT INTO t VALUES (8, 'streamed before');
-- (snapshot) t
UPDATE t SET v = 'streamed behind' WHERE id = 3;
DELETE FROM t WHERE id = 4;
-- (snapshot) t
INSERT INTO t VALUES (4, 'streamed last');

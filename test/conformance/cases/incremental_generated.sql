-- A generated column, for which Debezium leaves the table out.
-- alone: Debezium reads no table behind it
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED, v text);
INSERT INTO t (id, v) SELECT i, 'row ' || i FROM generate_series(1, 4) i;
-- (workload)
INSERT INTO t (id, v) VALUES (5, 'streamed before');
-- (snapshot) t
UPDATE t SET v = 'streamed behind' WHERE id = 1;

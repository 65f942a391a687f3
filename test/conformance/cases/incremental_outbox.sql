-- A table beside an outbox.
-- outbox: o
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TABLE o (id uuid PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text NOT NULL, type text NOT NULL, payload text);
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 4) g;
-- (workload)
INSERT INTO o VALUES ('406c07f3-26f0-4eea-a50c-109940064b8f', 'incremental_outbox', 'b', 'New', 'streamed before');
-- (snapshot) t
INSERT INTO o VALUES ('506c07f3-26f0-4eea-a50c-109940064b8f', 'incremental_outbox', 'b', 'New', 'streamed behind');
UPDATE t SET v = 'streamed last' WHERE id = 1;

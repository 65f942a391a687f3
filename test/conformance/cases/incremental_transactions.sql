-- Transaction metadata beside a snapshot, whose rows are of no transaction.  Only its table is published: the
-- relay notes what is confirmed in transactions of its own, also when Debezium has stopped.
-- alone: transactions belong to no table
-- publication: FOR TABLE t
-- option: incremental.snapshot.chunk.size = 3
-- option: provide.transaction.metadata = true
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 4) g;
-- (workload)
INSERT INTO t VALUES (5, 'streamed before'), (6, 'streamed before');
-- (snapshot) t
BEGIN;
UPDATE t SET v = 'streamed behind' WHERE id = 1;
DELETE FROM t WHERE id = 2;
COMMIT;

-- Logical messages in a transaction, among rows.
-- alone: messages belong to no table
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
-- (workload)
SELECT pg_logical_emit_message(true, 'foo', 'hello');
BEGIN;
INSERT INTO t VALUES (1);
SELECT pg_logical_emit_message(true, 'bar', 'ünïcode "quoted"');
INSERT INTO t VALUES (2);
COMMIT;
SELECT pg_logical_emit_message(true, '', '');
SELECT pg_logical_emit_message(true, 'bin', '\x00ff10'::bytea);

-- Changes that were replicated from elsewhere carry their origin.
-- alone: a session's origin is the database's
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
SELECT pg_replication_origin_create('elsewhere');
-- (workload)
INSERT INTO t VALUES (1);
SELECT pg_replication_origin_session_setup('elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/AABBCC', '2020-01-01 00:00+00');
INSERT INTO t VALUES (2);
COMMIT;
SELECT pg_replication_origin_session_reset();
INSERT INTO t VALUES (3);

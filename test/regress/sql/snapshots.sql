-- Snapshots: asked for, steered, taken step by step as a relay does, and forgotten.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA "Regress Snap";
CREATE TABLE "Regress Snap".plain (b int, a int, note text, PRIMARY KEY (a, b));
CREATE TABLE "Regress Snap"."Odd, ""name""" (id int PRIMARY KEY);
CREATE TABLE "Regress Snap".keyless (id int);
CREATE TABLE "Regress Snap".unpublished (id int PRIMARY KEY);
CREATE TABLE "Regress Snap".by_root (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE "Regress Snap".by_root_1 PARTITION OF "Regress Snap".by_root FOR VALUES FROM (0) TO (10);
CREATE SCHEMA regress_snap;
CREATE TABLE regress_snap.a (id int PRIMARY KEY, tag text);
CREATE TABLE regress_snap.b (id int PRIMARY KEY);
CREATE FUNCTION regress_snap.is_new(id int) RETURNS boolean LANGUAGE sql AS 'SELECT id > 5';
CREATE PUBLICATION regress_snap FOR TABLE "Regress Snap".plain, "Regress Snap"."Odd, ""name""", "Regress Snap".keyless,
    "Regress Snap".by_root, regress_snap.a, regress_snap.b WITH (publish_via_partition_root = true);
CREATE VIEW regress_snap.shown AS
    SELECT s.snapshot_id - (SELECT min(r.snapshot_id) FROM holdfast.snapshot_run r) AS n, s.slot, s.kind, s.status,
           s.ordinal, s.data_collection, s.condition, s.table_status, s.rows_sent, s.last_key, s.last_error
    FROM holdfast.snapshots s ORDER BY s.snapshot_id, s.ordinal;

-- The slot: the one that has reported, or one that is named and exists.
CALL holdfast.snapshot('regress_snap.a');
\echo :SQLSTATE
CALL holdfast.snapshot('regress_snap.a', slot => 'regress_hf_none');
\echo :SQLSTATE
SELECT FROM pg_create_logical_replication_slot('regress_hf_a', 'test_decoding');
SELECT holdfast.relay_report('regress_hf_a', '1.0', 'host', 1, NULL, NULL, NULL);
CALL holdfast.snapshot('regress_snap.a') \gset first_
SELECT holdfast.relay_report('regress_hf_b', '1.0', 'host', 2, NULL, NULL, NULL);
CALL holdfast.snapshot('regress_snap.a');
CALL holdfast.snapshot('regress_snap.a', slot => 'regress_hf_none');
CALL holdfast.snapshot('regress_snap.b', NULL, 'regress_hf_b') \gset other_

-- Tables: several, quoted as SQL does, folded as SQL does.
CALL holdfast.snapshot(E' "Regress Snap"."Odd, ""name""",\n REGRESS_SNAP.B , "Regress Snap".by_root', NULL, 'regress_hf_a') \gset second_
SELECT n, slot, kind, status, ordinal, data_collection, condition, table_status, rows_sent, last_key FROM regress_snap.shown;
SELECT requested_by = session_user AS mine, started_at IS NULL AS waits FROM holdfast.snapshot_run ORDER BY snapshot_id;
CALL holdfast.snapshot(NULL);
\echo :SQLSTATE
CALL holdfast.snapshot('');
\echo :SQLSTATE
CALL holdfast.snapshot('a');
CALL holdfast.snapshot('db.regress_snap.a');
CALL holdfast.snapshot('regress_snap.a,');
CALL holdfast.snapshot('regress_snap."a');
CALL holdfast.snapshot('regress_snap.a; DROP TABLE regress_snap.a');
CALL holdfast.snapshot('regress_snap.none');
CALL holdfast.snapshot('regress_snap.shown');
CALL holdfast.snapshot('regress_snap.a, regress_snap.A');
CALL holdfast.snapshot('regress_snap.a, "Regress Snap".unpublished', slot => 'regress_hf_a');
CALL holdfast.snapshot('"Regress Snap".by_root_1');
CALL holdfast.snapshot('"Regress Snap".keyless');
\echo :SQLSTATE

-- The key: replica identity index, primary key, or else the first index that will do.
SELECT holdfast.snapshot_key('"Regress Snap".plain'), holdfast.snapshot_key('"Regress Snap".by_root'),
       holdfast.snapshot_key('"Regress Snap".keyless') IS NULL AS none;
BEGIN;
CREATE TABLE regress_snap.k (id int PRIMARY KEY, x int NOT NULL, y int, z int NOT NULL);
CREATE UNIQUE INDEX k_1 ON regress_snap.k (y);
CREATE UNIQUE INDEX k_2 ON regress_snap.k (x) WHERE z > 0;
CREATE UNIQUE INDEX k_3 ON regress_snap.k ((x + z));
ALTER TABLE regress_snap.k ADD CONSTRAINT k_4 UNIQUE (x) DEFERRABLE;
CREATE UNIQUE INDEX k_5 ON regress_snap.k (z, x) INCLUDE (y);
CREATE UNIQUE INDEX k_6 ON regress_snap.k (x);
SELECT holdfast.snapshot_key('regress_snap.k') AS "default";
ALTER TABLE regress_snap.k REPLICA IDENTITY USING INDEX k_6;
SELECT holdfast.snapshot_key('regress_snap.k') AS using_index;
ALTER TABLE regress_snap.k REPLICA IDENTITY FULL;
SELECT holdfast.snapshot_key('regress_snap.k') AS "full";
ALTER TABLE regress_snap.k DROP CONSTRAINT k_pkey;
SELECT holdfast.snapshot_key('regress_snap.k') AS full_without_primary_key;
DROP INDEX regress_snap.k_5;
SELECT holdfast.snapshot_key('regress_snap.k') AS the_next;
DROP INDEX regress_snap.k_6;
SELECT holdfast.snapshot_key('regress_snap.k') IS NULL AS the_rest_will_not_do;
ROLLBACK;

-- Conditions: with or without WHERE; one expression that works, and nothing behind it.
BEGIN;
CALL holdfast.snapshot('regress_snap.a', 'id > 5', 'regress_hf_a') \gset c1_
CALL holdfast.snapshot('regress_snap.a', E' where\tid > 5 OR tag = $$a)$$ ', 'regress_hf_a') \gset c2_
CALL holdfast.snapshot('regress_snap.a', 'WHERE(a.id > 5)', 'regress_hf_a') \gset c3_
CALL holdfast.snapshot('regress_snap.a', 'regress_snap.is_new(id) AND id IN (SELECT b.id FROM regress_snap.b)', 'regress_hf_a') \gset c4_
CALL holdfast.snapshot('regress_snap.a', ' where ', 'regress_hf_a') \gset c5_
SELECT DISTINCT condition FROM regress_snap.shown ORDER BY 1;
ROLLBACK;
CALL holdfast.snapshot('regress_snap.a', 'nonsense > 5', 'regress_hf_a');
\echo :SQLSTATE
CALL holdfast.snapshot('regress_snap.a, regress_snap.b', 'tag IS NULL', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'id', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'id > ''x''', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'id > $1', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'is_new(id)', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'count(*) > 1', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true) ; DROP TABLE regress_snap.b --', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true); DROP TABLE regress_snap.b; SELECT (1', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true; DROP TABLE regress_snap.b', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true) OR (true', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true) UNION SELECT FROM regress_snap.a WHERE (true', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true ORDER BY id', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true THEN true END OR CASE WHEN true', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'id > 5 -- a comment', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'id > 5 /* a comment', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', '(tag = ''', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', '(tag = $$', 'regress_hf_a');
CALL holdfast.snapshot('regress_snap.a', 'true FOR UPDATE', 'regress_hf_a');
SELECT to_regclass('regress_snap.b') IS NOT NULL AS still_there, count(*) AS requests FROM holdfast.snapshot_run;
-- A name of the caller's search path is not what the relay would find.
SET search_path = regress_snap, public;
CALL holdfast.snapshot('regress_snap.a', 'is_new(id)', 'regress_hf_a');
RESET search_path;

-- The relay's work: the oldest first, its tables in order; each STARTED once.
SELECT * FROM holdfast.snapshot_next('regress_hf_none');
SELECT snapshot_id = :first_snapshot_id AS first, ordinal, schema_name, table_name, condition, last_key, rows_sent FROM holdfast.snapshot_next('regress_hf_a');
SELECT snapshot_id = :first_snapshot_id AS first, ordinal, table_name FROM holdfast.snapshot_next('regress_hf_a');
SELECT holdfast.snapshot_progress(:first_snapshot_id, 1, '{10}', 10, false);
SELECT snapshot_id = :first_snapshot_id AS first, ordinal, last_key, rows_sent FROM holdfast.snapshot_next('regress_hf_a');
SELECT max(notification_id) AS progress FROM holdfast.snapshot_notification \gset
SELECT holdfast.snapshot_progress(:first_snapshot_id, 1, '{20}', 19, false);
SELECT notification_id > :progress AS newer, additional_data FROM holdfast.snapshot_notification WHERE type = 'IN_PROGRESS';
-- Paused, the next one has its turn; what is on its way to Kafka is noted nevertheless.
SELECT holdfast.snapshot_pause(:first_snapshot_id), holdfast.snapshot_pause(:first_snapshot_id) AS again;
SELECT holdfast.snapshot_progress(:first_snapshot_id, 1, '{25}', 24, true);
SELECT snapshot_id = :second_snapshot_id AS second, ordinal, schema_name, table_name FROM holdfast.snapshot_next('regress_hf_a');
SELECT holdfast.snapshot_progress(:second_snapshot_id, 1, NULL, 0, true);
SELECT snapshot_id = :second_snapshot_id AS second, ordinal, table_name FROM holdfast.snapshot_next('regress_hf_a');
SELECT n, status, ordinal, table_status, rows_sent, last_key FROM regress_snap.shown WHERE slot = 'regress_hf_a';
-- Resumed, it turns out to be done.
SELECT holdfast.snapshot_resume(:first_snapshot_id), holdfast.snapshot_resume(:first_snapshot_id) AS again;
SELECT status FROM holdfast.snapshot_run WHERE snapshot_id = :first_snapshot_id;
SELECT snapshot_id = :second_snapshot_id AS second, ordinal FROM holdfast.snapshot_next('regress_hf_a');
SELECT status, finished_at IS NOT NULL AS finished FROM holdfast.snapshot_run WHERE snapshot_id = :first_snapshot_id;
-- Stopped: its other tables too, for good; a late chunk does not bring it back.
SELECT holdfast.snapshot_stop(:second_snapshot_id);
SELECT holdfast.snapshot_progress(:second_snapshot_id, 2, '{7}', 7, false);
SELECT holdfast.snapshot_end(:second_snapshot_id, 'FAILED', 'late');
SELECT * FROM holdfast.snapshot_next('regress_hf_a');
SELECT n, status, ordinal, table_status, rows_sent, last_key, last_error FROM regress_snap.shown WHERE slot = 'regress_hf_a';
SELECT snapshot_id - :first_snapshot_id AS n, aggregate_type, type, data_collection, additional_data
FROM holdfast.snapshot_notification ORDER BY notification_id;

-- All at once, of one slot or of all; an own one that was never begun waits as REQUESTED.
CALL holdfast.snapshot('regress_snap.a', slot => 'regress_hf_a') \gset third_
SELECT holdfast.snapshot_pause(slot => 'regress_hf_a') AS paused, holdfast.snapshot_pause() AS paused_others;
SELECT count(*) AS due FROM holdfast.snapshot_next('regress_hf_a');
SELECT holdfast.snapshot_resume() AS resumed;
SELECT slot, status FROM holdfast.snapshot_run WHERE finished_at IS NULL ORDER BY slot;
SELECT holdfast.snapshot_stop(slot => 'regress_hf_b') AS stopped;
SELECT slot, status FROM holdfast.snapshot_run WHERE finished_at IS NULL ORDER BY slot;
-- Failed, with the reason.
SELECT holdfast.snapshot_end(:third_snapshot_id, 'FAILED', 'table regress_snap.a is gone');
SELECT status, table_status, last_error FROM regress_snap.shown ORDER BY n DESC LIMIT 1;
SELECT type, additional_data FROM holdfast.snapshot_notification ORDER BY notification_id DESC LIMIT 1;
SELECT holdfast.snapshot_stop() AS nothing_left;
-- What the calls do not take.  (The message names a number that differs from run to run.)
\set VERBOSITY sqlstate
SELECT holdfast.snapshot_pause(:third_snapshot_id);
SELECT holdfast.snapshot_stop(:third_snapshot_id, 'regress_hf_b');
SELECT holdfast.snapshot_resume(0);
SELECT holdfast.snapshot_progress(0, 1, '{1}', 1, false);
SELECT holdfast.snapshot_progress(NULL, 1, '{1}', 1, false);
SELECT holdfast.snapshot_progress(:third_snapshot_id, 2, '{1}', 1, false);
SELECT holdfast.snapshot_progress(:third_snapshot_id, 1, '{1}', NULL, false);
SELECT holdfast.snapshot_end(:third_snapshot_id, 'PAUSED', NULL);
SELECT holdfast.snapshot_end(0, 'STOPPED', NULL);
\set VERBOSITY default

-- The messages that wake a relay, with the transaction that asks; nothing else of it is in them.
SELECT substring(data FROM 'prefix: ([^,]*)') AS prefix, data LIKE 'message: transactional: 1 %' AS transactional,
       m.content->>'slot' AS slot, (m.content->>'snapshot_id')::bigint - :first_snapshot_id AS n, m.content->>'action' AS action,
       (SELECT count(*) FROM json_object_keys(m.content)) AS keys
FROM pg_logical_slot_peek_changes('regress_hf_a', NULL, NULL, 'skip-empty-xacts', '1')
     CROSS JOIN LATERAL (SELECT substring(data FROM 'content:(.*)')::json AS content) m WHERE data LIKE 'message%regress_hf_a%';
BEGIN;
CALL holdfast.snapshot('regress_snap.a', slot => 'regress_hf_a') \gset rolled_back_
ROLLBACK;
SELECT count(*) AS none_of_a_rollback FROM pg_logical_slot_peek_changes('regress_hf_a', NULL, NULL) WHERE data LIKE 'message%regress_hf_a%';

-- Initial: one at a time and slot; only the relay steers it.
SELECT holdfast.snapshot_start('regress_hf_a', '{regress_snap,"Regress Snap"}', '{a,"Odd, \"name\""}', '0/ABC') AS initial_id \gset
SELECT holdfast.snapshot_start('regress_hf_a', '{regress_snap}', '{a}', '0/ABD');
\echo :SQLSTATE
SELECT holdfast.snapshot_start('regress_hf_b', '{regress_snap}', '{a,b}', '0/ABC');
SELECT holdfast.snapshot_start(NULL, '{regress_snap}', '{a}', '0/ABC');
SELECT count(*) AS is_no_incremental FROM holdfast.snapshot_next('regress_hf_a');
SELECT holdfast.snapshot_stop() AS all_incremental;
\set VERBOSITY sqlstate
SELECT holdfast.snapshot_stop(:initial_id);
SELECT holdfast.snapshot_end(:initial_id, 'COMPLETED', NULL);
\set VERBOSITY default
SELECT holdfast.snapshot_progress(:initial_id, 2, '{1}', 1, true);
SELECT holdfast.snapshot_add(:initial_id, 'regress_snap', 'renamed') AS ordinal;
SELECT holdfast.snapshot_add(:initial_id, 'regress_snap', NULL);
SELECT holdfast.snapshot_progress(:initial_id, 3, '{9}', 9, true);
-- One that is gone, is back, and is gone again; one that is complete stays so.
SELECT holdfast.snapshot_add(:initial_id, 'regress_snap', 'gone') AS ordinal;
SELECT holdfast.snapshot_progress(:initial_id, 4, '{5}', 5, false);
SELECT holdfast.snapshot_skip(:initial_id, 4) AS skipped, holdfast.snapshot_skip(:initial_id, 4) AS known, holdfast.snapshot_skip(:initial_id, 3) AS complete;
SELECT ordinal, status, last_key, rows_sent, finished_at IS NOT NULL AS finished FROM holdfast.snapshot_table
WHERE snapshot_id = :initial_id AND ordinal > 2 ORDER BY ordinal;
SELECT holdfast.snapshot_progress(:initial_id, 4, '{2}', 2, false);
SELECT status, last_key, rows_sent, finished_at IS NOT NULL AS finished FROM holdfast.snapshot_table
WHERE snapshot_id = :initial_id AND ordinal = 4;
SELECT holdfast.snapshot_skip(:initial_id, 4);
SELECT holdfast.snapshot_progress(:initial_id, 1, '{3}', 3, false);
SELECT holdfast.snapshot_progress(:initial_id, 1, '{3}', 3, true);
SELECT holdfast.snapshot_end(:initial_id, 'COMPLETED', NULL), holdfast.snapshot_end(:initial_id, 'STOPPED', 'late') AS again;
SELECT holdfast.snapshot_add(:initial_id, 'regress_snap', 'late');
\echo :SQLSTATE
SELECT holdfast.snapshot_add(:third_snapshot_id, 'regress_snap', 'incremental');
SELECT r.kind, r.status, r.snapshot_lsn, t.ordinal, t.status, t.last_key, t.rows_sent, r.last_error
FROM holdfast.snapshot_run r JOIN holdfast.snapshot_table t USING (snapshot_id) WHERE r.snapshot_id = :initial_id ORDER BY t.ordinal;
SELECT aggregate_type, type, data_collection, additional_data FROM holdfast.snapshot_notification
WHERE snapshot_id = :initial_id ORDER BY notification_id;
-- A database without tables to capture.
SELECT holdfast.snapshot_start('regress_hf_b', '{}', '{}', '0/ABC') AS empty_id \gset
SELECT holdfast.snapshot_end(:empty_id, 'COMPLETED', NULL);

-- Who may: operators and the relay, each with its own rights.
CREATE ROLE regress_hf_relay;
CREATE ROLE regress_hf_admin;
CREATE ROLE regress_hf_nobody;
SELECT holdfast.grant_relay('regress_hf_relay');
SELECT holdfast.grant_admin('regress_hf_admin');
SET ROLE regress_hf_nobody;
CALL holdfast.snapshot('regress_snap.a');
SELECT * FROM holdfast.snapshots;
RESET ROLE;
GRANT USAGE ON SCHEMA holdfast TO regress_hf_nobody;
SET ROLE regress_hf_nobody;
CALL holdfast.snapshot('regress_snap.a', NULL, 'regress_hf_a');
SELECT holdfast.snapshot_pause();
SELECT holdfast.snapshot_next('regress_hf_a');
SELECT * FROM holdfast.snapshots;
RESET ROLE;
SET ROLE regress_hf_admin;
CALL holdfast.snapshot('regress_snap.a', NULL, 'regress_hf_a') \gset asked_
-- A condition needs what it reads.
CALL holdfast.snapshot('regress_snap.a', 'id > 5', 'regress_hf_a');
\echo :SQLSTATE
SELECT holdfast.snapshot_pause(:asked_snapshot_id), holdfast.snapshot_resume(:asked_snapshot_id);
SELECT holdfast.snapshot_next('regress_hf_a');
SELECT holdfast.snapshot_progress(:asked_snapshot_id, 1, '{1}', 1, false);
SELECT holdfast.snapshot_end(:asked_snapshot_id, 'COMPLETED', NULL);
UPDATE holdfast.snapshot_table SET condition = 'false';
RESET ROLE;
SET ROLE regress_hf_relay;
SELECT snapshot_id = :asked_snapshot_id AS asked, table_name FROM holdfast.snapshot_next('regress_hf_a');
SELECT holdfast.snapshot_progress(:asked_snapshot_id, 1, '{1}', 1, true);
SELECT count(*) FROM holdfast.snapshot_next('regress_hf_a');
SELECT r.status, t.status, count(n) AS notifications
FROM holdfast.snapshot_run r JOIN holdfast.snapshot_table t USING (snapshot_id) JOIN holdfast.snapshot_notification n USING (snapshot_id)
WHERE snapshot_id = :asked_snapshot_id GROUP BY 1, 2;
CALL holdfast.snapshot('regress_snap.b', NULL, 'regress_hf_a') \gset own_
SELECT holdfast.snapshot_stop(slot => 'regress_hf_a');
SELECT holdfast.snapshot_start('regress_hf_a', '{regress_snap}', '{a}', '0/ABC') AS last_initial \gset
SELECT holdfast.snapshot_end(:last_initial, 'STOPPED', 'the relay was told to');
UPDATE holdfast.snapshot_table SET condition = 'false';
RESET ROLE;

-- A slot that is forgotten takes its unfinished snapshots along.
CALL holdfast.snapshot('regress_snap.b', NULL, 'regress_hf_b') \gset forgotten_
SELECT holdfast.forget_slot('regress_hf_b');
SELECT kind, status, last_error FROM holdfast.snapshot_run WHERE slot = 'regress_hf_b' ORDER BY snapshot_id;
-- Old ones leave, but for the last initial one of a slot that is known.
SELECT holdfast.forget_snapshots() AS too_young;
UPDATE holdfast.snapshot_run SET finished_at = now() - interval '1 year' WHERE finished_at IS NOT NULL;
SELECT holdfast.snapshot_start('regress_hf_c', '{regress_snap}', '{a}', '0/ABC') AS unfinished \gset
SELECT count(*) - 2 AS all_but_two FROM holdfast.snapshot_run \gset
SELECT (holdfast.maintain()->>'snapshots')::int = :all_but_two AS all_but_two;
SELECT slot, kind, status FROM holdfast.snapshot_run ORDER BY snapshot_id;
SELECT count(*) AS notifications, count(DISTINCT snapshot_id) AS of_snapshots FROM holdfast.snapshot_notification;
SELECT holdfast.forget_slot('regress_hf_a');
SELECT holdfast.forget_snapshots() AS of_a_forgotten_slot;
DELETE FROM holdfast.snapshot_run;

SELECT pg_drop_replication_slot('regress_hf_a');
DROP OWNED BY regress_hf_relay, regress_hf_admin, regress_hf_nobody;
DROP ROLE regress_hf_relay, regress_hf_admin, regress_hf_nobody;
DROP PUBLICATION regress_snap;
DROP SCHEMA regress_snap, "Regress Snap" CASCADE;

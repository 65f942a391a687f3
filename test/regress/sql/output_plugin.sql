-- The output plugin, called from SQL: what it makes is pgoutput's.
\set SHOW_CONTEXT never
DO $$
BEGIN
    IF current_setting('output_plugin_libraries', true) IS NOT NULL THEN
        PERFORM set_config('output_plugin_libraries', 'pgoutput, holdfast', false);
    END IF;
END
$$;
CREATE TABLE plugin_test (id int PRIMARY KEY, note text);
CREATE TABLE plugin_test_unpublished (id int);
CREATE PUBLICATION plugin_test FOR TABLE plugin_test;
SELECT count(*) FROM pg_create_logical_replication_slot('plugin_test', 'holdfast');
SELECT count(*) FROM pg_copy_logical_replication_slot('plugin_test', 'plugin_test_pgoutput', false, 'pgoutput');
-- Comes first, so that what is skipped is seen before any message (the functions report no progress).
INSERT INTO plugin_test_unpublished VALUES (1);
INSERT INTO plugin_test VALUES (1, 'one'), (2, repeat('two', 100));
UPDATE plugin_test SET note = 'eins' WHERE id = 1;
DELETE FROM plugin_test WHERE id = 2;
TRUNCATE plugin_test;
SELECT count(*) FROM pg_logical_emit_message(true, 'plugin_test', 'message');

CREATE FUNCTION messages(slot name, VARIADIC options text[] DEFAULT '{}') RETURNS SETOF bytea LANGUAGE sql
    AS $$ SELECT data FROM pg_logical_slot_peek_binary_changes(slot, NULL, NULL, VARIADIC
        array['proto_version', '1', 'publication_names', 'plugin_test', 'messages', 'true'] || options) $$;
SELECT chr(get_byte(data, 0)) AS tag, count(*) FROM messages('plugin_test') AS data GROUP BY 1 ORDER BY 1;
SELECT count(*) AS differences
FROM messages('plugin_test') WITH ORDINALITY AS ours (data, n)
FULL JOIN messages('plugin_test_pgoutput') WITH ORDINALITY AS theirs (data, n) USING (n)
WHERE ours.data IS DISTINCT FROM theirs.data;
SELECT count(*) = (SELECT count(*) FROM messages('plugin_test')) AS same FROM messages('plugin_test', 'batch_bytes', '0');

-- A function that ends when the WAL does cannot gather.
SELECT * FROM messages('plugin_test', 'batch_bytes', '65536');
SELECT * FROM messages('plugin_test', 'batch_bytes', '-1');
SELECT * FROM messages('plugin_test', 'batch_bytes', 'many');
SELECT * FROM messages('plugin_test', 'batch_bytes', '16777217');
SELECT * FROM messages('plugin_test', 'batch_bits', '1');
SELECT count(*) FROM messages('plugin_test');

SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name LIKE 'plugin_test%';
DROP PUBLICATION plugin_test;
DROP TABLE plugin_test, plugin_test_unpublished;
DROP FUNCTION messages;

-- Transactions that commit in another order than they began.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
SELECT dblink_connect('other', format('host=%s port=%s dbname=%s user=postgres', (SELECT setting FROM pg_settings WHERE name = 'unix_socket_directories'), (SELECT setting FROM pg_settings WHERE name = 'port'), current_database()));
SELECT dblink_exec('other', 'BEGIN');
SELECT dblink_exec('other', 'INSERT INTO transactions_interleaved.t VALUES (1, ''other'')');
INSERT INTO t VALUES (2, 'between');
SELECT dblink_exec('other', 'INSERT INTO transactions_interleaved.t VALUES (3, ''other'')');
SELECT dblink_exec('other', 'COMMIT');
INSERT INTO t VALUES (4, 'after');

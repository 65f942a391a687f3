-- An enum gets a value.
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (id int PRIMARY KEY, m mood);
-- (workload)
INSERT INTO t VALUES (1, 'sad');
-- (wait)
ALTER TYPE mood ADD VALUE 'ok' BEFORE 'happy';
INSERT INTO t VALUES (2, 'ok');
-- (wait)
ALTER TABLE t ADD COLUMN v int;
INSERT INTO t VALUES (3, 'ok', 1);

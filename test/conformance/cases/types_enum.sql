-- Enums: labels, their order, and their defaults.
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
ALTER TYPE mood ADD VALUE 'elated' AFTER 'ok';
CREATE TYPE "Odd Name" AS ENUM ('with space', 'with,comma', 'with\backslash', 'ä');
CREATE TABLE t (id mood PRIMARY KEY, m mood, o "Odd Name", d mood DEFAULT 'ok', n mood NOT NULL, nd "Odd Name" NOT NULL DEFAULT 'with space');
-- (workload)
INSERT INTO t VALUES ('sad', 'happy', 'with,comma', 'elated', 'ok', 'ä'), ('ok', NULL, NULL, NULL, 'sad', 'with\backslash');
INSERT INTO t (id, n) VALUES ('elated', 'elated');
UPDATE t SET m = 'sad' WHERE id = 'sad';
DELETE FROM t WHERE id = 'sad';

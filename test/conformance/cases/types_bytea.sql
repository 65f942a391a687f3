-- bytea, as bytes.
-- (schema)
CREATE TABLE t (id bytea PRIMARY KEY, b bytea, d bytea DEFAULT '\xdeadbeef', n bytea NOT NULL);
-- (workload)
INSERT INTO t VALUES ('\x01', '\x010203', '\x00', '\xff'), ('\x', '', NULL, ''), ('\xfffe', NULL, '\x00ff00', '\x3e3f');
INSERT INTO t (id, n) VALUES ('\x04', '\xfbff');
DELETE FROM t WHERE id = '\x01';

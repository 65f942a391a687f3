-- Binary in hexadecimal.
-- option: binary.handling.mode = hex
-- (schema)
CREATE TABLE t (id bytea PRIMARY KEY, b bytea, a bytea[], n bytea NOT NULL);
-- (workload)
INSERT INTO t VALUES ('\x01', '\xFBEFFF', '{"\\xfbff",NULL}', '\xfbef'), ('\x', '', '{}', ''), ('\xff', NULL, NULL, '\x00');
DELETE FROM t WHERE id = '\x01';

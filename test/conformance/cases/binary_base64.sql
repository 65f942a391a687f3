-- Binary as base64.
-- option: binary.handling.mode = base64
-- (schema)
CREATE TABLE t (id bytea PRIMARY KEY, b bytea, a bytea[], n bytea NOT NULL, bits bit(9));
-- (workload)
INSERT INTO t VALUES ('\x01', '\x010203', '{"\\xfbff",NULL}', '\xfbefff', B'100000001'), ('\x', '', '{}', '', NULL), ('\xff', NULL, NULL, '\x00', NULL);
DELETE FROM t WHERE id = '\x01';

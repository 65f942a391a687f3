-- Binary as base64 that is safe in URLs.
-- option: binary.handling.mode = base64-url-safe
-- (schema)
CREATE TABLE t (id bytea PRIMARY KEY, b bytea, a bytea[], n bytea NOT NULL);
-- (workload)
INSERT INTO t VALUES ('\x01', '\xfbefff', '{"\\xfbff",NULL}', '\xfbef'), ('\x', '', '{}', ''), ('\xff', NULL, NULL, '\x00');
DELETE FROM t WHERE id = '\x01';

-- REPLICA IDENTITY USING INDEX on columns that are not the key.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, u int NOT NULL UNIQUE, v text);
ALTER TABLE t REPLICA IDENTITY USING INDEX t_u_key;
-- (workload)
INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b');
UPDATE t SET v = 'c' WHERE id = 1;
UPDATE t SET u = 11 WHERE id = 1;
UPDATE t SET id = 3 WHERE id = 2;
DELETE FROM t;

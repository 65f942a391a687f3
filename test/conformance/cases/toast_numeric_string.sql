-- A numeric as a string that an update leaves alone.
-- option: decimal.handling.mode = string
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, n int, v numeric);
ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
-- (workload)
INSERT INTO t VALUES (1, 1, (repeat('7', 4300))::numeric);
UPDATE t SET n = 2;

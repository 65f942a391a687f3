-- time.precision.mode nanoseconds: what does not fit into 64 bits.
-- option: time.precision.mode = nanoseconds
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, s timestamp);
-- (workload)
INSERT INTO t VALUES (1, '2262-04-11 23:47:16.854775'), (2, '2262-04-12 00:00'), (3, '1677-09-21 00:12:44'), (4, '1600-01-01');

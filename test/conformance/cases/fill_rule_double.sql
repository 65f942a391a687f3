-- The same with decimals as double, ISO strings for times.
-- option: decimal.handling.mode = double
-- option: time.precision.mode = isostring
-- option: binary.handling.mode = base64
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, f numeric(10,2) NOT NULL, g numeric NOT NULL, h money NOT NULL, l bytea NOT NULL, q date NOT NULL, r time NOT NULL, u timestamp NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 1, 1, 1, 'l', '2020-01-01', '12:00', '2020-01-01');
DELETE FROM t WHERE id = 1;

-- The same with other modes of decimals, times and intervals.
-- option: decimal.handling.mode = string
-- option: time.precision.mode = connect
-- option: interval.handling.mode = string
-- option: binary.handling.mode = hex
-- option: hstore.handling.mode = map
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, f numeric(10,2) NOT NULL, g numeric NOT NULL, h money NOT NULL, l bytea NOT NULL, o bit(5) NOT NULL, q date NOT NULL, r time NOT NULL,
    s timetz NOT NULL, u timestamp NOT NULL, v timestamptz NOT NULL, w interval NOT NULL, ac hstore NOT NULL, n numeric[] NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 1, 1, 1, 'l', B'10101', '2020-01-01', '12:00', '12:00+00', '2020-01-01', '2020-01-01', '1 day', 'a=>b', '{1}');
DELETE FROM t WHERE id = 1;

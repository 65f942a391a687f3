-- Keys of many types in the headers of a changed key.
-- (schema)
CREATE TABLE t (i int, b bool, f float8, n numeric(6,2), x bytea, s text, d date, u numeric, z timestamptz, PRIMARY KEY (i, b, f, n, x, s, d, u, z));
-- (workload)
INSERT INTO t VALUES (1, true, 1.5e10, 12.34, '\x0102ff', E'a"b\\c\nd ä', '2020-01-01', 1.50, '2020-01-01 00:00+00');
UPDATE t SET i = 2;
UPDATE t SET b = false, f = 'NaN';

-- Values are the same in an incremental snapshot and in the stream: NULLs, and values that are stored out of line.
-- option: incremental.snapshot.chunk.size = 3
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id bigint PRIMARY KEY, x text, n numeric(10,2), u numeric, ts timestamp, z timestamptz, tz timetz,
    d date, ti time(3), b bytea, bi bit(5), j jsonb, h hstore, a int[], ta text[], m mood, i interval, p point, r int4range, uu uuid, mo money, f float8,
    fl real, e text DEFAULT 'dflt', c char(4), xx xml, o boolean);
ALTER TABLE t ALTER COLUMN x SET STORAGE EXTERNAL, ALTER COLUMN b SET STORAGE EXTERNAL;
INSERT INTO t (id, x, n, u, ts, z, tz, d, ti, b, bi, j, h, a, ta, m, i, p, r, uu, mo, f, fl, e, c, xx, o)
VALUES (1, 'short', 1.5, 1.50, '2020-01-02 03:04:05.678901', '2020-01-02 03:04:05.6+02', '12:00:00.5+02', '2020-01-02', '12:00:00.123', '\x0102', B'10101',
    '{"a": 1, "b": [null, "ü"]}', 'a=>1', '{1,NULL}', '{a,NULL}', 'ok', '1 mon 2 days', '(1,2)', '[1,5)', '406c07f3-26f0-4eea-a50c-109940064b8f', 12.5, 1e10, 1.5,
    NULL, 'ab', '<a/>', true),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, repeat('out of line ', 1000), -0.01, 'NaN', 'infinity', '-infinity', '23:59:59.999999-12', '1969-12-31', '00:00', convert_to(repeat('line', 3000), 'UTF8'), B'00000',
    '[]', '', '{}', '{}', 'sad', '-1 us', '(-1,1e-5)', 'empty', '00000000-0000-0000-0000-000000000000', -0.01, 'NaN', '-infinity', '', '', '<b>&amp;</b>', false),
    (4, E'tab\t "quoted" \\ \u20ac \U0001F600', 99999999.99, 1e30, '1969-12-31 23:59:59.999999', '0044-03-15 12:00:00+00 BC', '00:00+14', '0001-01-01', '23:59:59.999',
    '', B'11111', '"text"', 'a=>NULL', '{2,NULL,-1}', '{"a,b"}', 'ok', '1 year', '(0,0)', '(,)', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 0, 0.1, 3e-38, 'dflt', 'abcd', NULL, NULL);
-- (workload)
-- (snapshot) t
UPDATE t SET c = 'xy' WHERE id < 4;

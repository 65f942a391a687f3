-- Values are the same in a snapshot and in the stream, with a generated column that only one has.
-- option: snapshot.mode = initial
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED, n numeric(10,2), u numeric, t timestamp, z timestamptz, tz timetz, d date, ti time(3), b bytea, bi bit(5), j jsonb,
    h hstore, a int[], x text[], m mood, i interval, p point, r int4range, uu uuid, mo money, f float8, e text DEFAULT 'dflt', dt date[], nu numeric[], c char(4), xx xml);
INSERT INTO t (id, n, u, t, z, tz, d, ti, b, bi, j, h, a, x, m, i, p, r, uu, mo, f, e, dt, nu, c, xx)
VALUES (1, 1.5, 1.50, '2020-01-02 03:04:05.678901', '2020-01-02 03:04:05.6+02', '12:00:00.5+02', '2020-01-02', '12:00:00.123', '\x0102', B'10101', '{"a": 1}',
    'a=>1', '{1,NULL}', '{a,NULL}', 'ok', '1 mon 2 days', '(1,2)', '[1,5)', '406c07f3-26f0-4eea-a50c-109940064b8f', 12.5, 1e10, NULL, '{2020-01-01}', '{1.50}', 'ab', '<a/>'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- (workload)
UPDATE t SET c = 'xy';

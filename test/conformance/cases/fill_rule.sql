-- What stands in before for columns that a key tuple lacks: NOT NULL without default.
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, a smallint NOT NULL, b int NOT NULL, c bigint NOT NULL, d real NOT NULL, e double precision NOT NULL, f numeric(10,2) NOT NULL,
    g numeric NOT NULL, h money NOT NULL, i text NOT NULL, j varchar(5) NOT NULL, k char(5) NOT NULL, l bytea NOT NULL, m bool NOT NULL, n bit(1) NOT NULL, o bit(5) NOT NULL,
    p varbit NOT NULL, q date NOT NULL, r time NOT NULL, s timetz NOT NULL, u timestamp NOT NULL, v timestamptz NOT NULL, w interval NOT NULL, x uuid NOT NULL,
    y json NOT NULL, z jsonb NOT NULL, aa xml NOT NULL, ab inet NOT NULL, ac hstore NOT NULL, ad ltree NOT NULL, ae citext NOT NULL, af mood NOT NULL, ag int[] NOT NULL,
    ah text[] NOT NULL, ai point NOT NULL, aj int4range NOT NULL, ak tsvector NOT NULL, al oid NOT NULL, am time(3) NOT NULL, an timestamp(3) NOT NULL, ao macaddr NOT NULL);
-- (workload)
INSERT INTO t VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 'i', 'j', 'k', 'l', true, B'1', B'10101', B'1', '2020-01-01', '12:00', '12:00+00', '2020-01-01', '2020-01-01', '1 day',
    '406c07f3-26f0-4eea-a50c-109940064b8f', '{}', '{}', '<a/>', '::1', 'a=>b', 'a.b', 'c', 'sad', '{1}', '{a}', '(1,1)', '[1,2)', 'a', 1, '12:00', '2020-01-01', '08:00:2b:01:02:03');
DELETE FROM t WHERE id = 1;

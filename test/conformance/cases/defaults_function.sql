-- Defaults that are functions have placeholders.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a date DEFAULT CURRENT_DATE, b time DEFAULT LOCALTIME, c timestamp DEFAULT now(), d timestamptz DEFAULT CURRENT_TIMESTAMP, e timetz DEFAULT CURRENT_TIME,
    f uuid DEFAULT gen_random_uuid(), g text DEFAULT current_user, h text DEFAULT md5('x'), i double precision DEFAULT random(), j int DEFAULT length('abc'), k jsonb DEFAULT jsonb_build_object(),
    l bool DEFAULT pg_is_in_recovery(), m interval DEFAULT age('2020-01-01'::timestamp, '2019-01-01'), n numeric(5,2) DEFAULT pi(), o timestamp(3) DEFAULT LOCALTIMESTAMP,
    p text DEFAULT upper('x') || 'y', q timestamptz DEFAULT now() + interval '1 day', r varchar(10) DEFAULT to_char(now(), 'YYYY'), s timestamptz DEFAULT timezone('UTC', now()));
-- (workload)
INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- Defaults that are dates and times.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, a date DEFAULT '2020-02-29', b time DEFAULT '12:34:56.789', c time(3) DEFAULT '12:34:56.789', d timestamp DEFAULT '2020-02-29 12:34:56.789012',
    e timestamp(3) DEFAULT '2020-02-29 12:34:56.789', f timestamptz DEFAULT '2020-02-29 12:34:56.789012+03', g timetz DEFAULT '12:34:56+03', h interval DEFAULT '1 year 2 days 03:04:05.6',
    i timestamptz(0) DEFAULT '2020-02-29 12:34:56+03', j date DEFAULT 'infinity', k timestamp DEFAULT '-infinity');
-- (workload)
INSERT INTO t (id) VALUES (1);
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

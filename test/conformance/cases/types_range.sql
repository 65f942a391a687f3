-- Ranges: text.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, i int4range, b int8range, n numrange, s tsrange, z tstzrange, d daterange, f int4range NOT NULL DEFAULT '[1,2)');
-- (workload)
INSERT INTO t VALUES (1, '[1000,6000]', '(1,9223372036854775807)', '[5.3,6.3)', '[2019-03-31 15:30:00,infinity)', '[2017-06-05 11:29:12.549426+00,)', '[2019-03-31,2020-01-01]', 'empty');
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, '(,)'), (3, '(,5)', '[5,)', '(,)', 'empty', '[2020-01-01 00:00+02,2020-02-01 00:00+02)', '(,infinity)', '[1,1]');
INSERT INTO t (id) VALUES (4);
DELETE FROM t WHERE id = 1;

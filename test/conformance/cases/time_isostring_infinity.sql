-- time.precision.mode isostring: values beyond any day.
-- option: time.precision.mode = isostring
-- (schema)
CREATE TABLE d (id int PRIMARY KEY, d date);
CREATE TABLE t (id int PRIMARY KEY, t time);
CREATE TABLE s (id int PRIMARY KEY, s timestamp, s3 timestamp(3));
-- (workload)
INSERT INTO d VALUES (1, 'infinity'), (2, '-infinity'), (3, '4713-01-01 BC'), (4, '5874897-12-31');
INSERT INTO t VALUES (1, '24:00');
INSERT INTO s VALUES (1, 'infinity', '-infinity'), (2, '294276-12-31', '4713-01-01 BC');

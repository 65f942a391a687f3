-- Dates, from the first to the last and beyond.
-- (schema)
CREATE TABLE t (id date PRIMARY KEY, d date, f date DEFAULT '2020-02-29', n date NOT NULL);
-- (workload)
INSERT INTO t VALUES ('2016-11-04', '1970-01-01', '1969-12-31', '2000-01-01'), ('2016-11-05', '4713-01-01 BC', '5874897-12-31', '0001-01-01'), ('2016-11-06', NULL, NULL, '0001-12-31 BC');
INSERT INTO t VALUES ('2016-11-07', 'infinity', '-infinity', '1582-10-14'), ('2016-11-08', '1582-10-15', '10000-01-01', '1900-02-28');
INSERT INTO t (id, n) VALUES ('2016-11-09', '1999-12-31');
DELETE FROM t WHERE id = '2016-11-04';

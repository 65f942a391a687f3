-- Keys of many types, each partitioned by its bytes.
-- (schema)
CREATE TABLE b (id bool PRIMARY KEY);
CREATE TABLE n (id numeric(10,2) PRIMARY KEY);
CREATE TABLE d (id date, t timestamptz, PRIMARY KEY (id, t));
CREATE TABLE u (id numeric PRIMARY KEY);
CREATE TABLE f (id double precision PRIMARY KEY);
CREATE TABLE a (id int[] PRIMARY KEY);
CREATE TABLE x (id text PRIMARY KEY);
CREATE TABLE i (id interval PRIMARY KEY);
CREATE TABLE v (id varbit PRIMARY KEY, w bit(12) UNIQUE);
-- (workload)
INSERT INTO b VALUES (true), (false);
INSERT INTO n SELECT g / 4.0 FROM generate_series(-10, 10) g;
INSERT INTO d SELECT '2020-01-01'::date + g, '2020-01-01 00:00+00'::timestamptz + g * interval '1 hour' FROM generate_series(1, 10) g;
INSERT INTO u VALUES (1.50), (100), (0.1);
INSERT INTO f VALUES (1.5), ('NaN'), (1e300);
INSERT INTO a VALUES ('{1,2}'), ('{}');
INSERT INTO x SELECT 'key-' || g || repeat('ä', g) FROM generate_series(0, 20) g;
INSERT INTO i VALUES ('1 day'), ('-1 mon');
INSERT INTO v VALUES (B'101', B'100000000001'), (B'', NULL);

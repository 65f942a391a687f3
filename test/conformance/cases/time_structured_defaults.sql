-- time.precision.mode structured, with defaults and what a delete fills in.
-- option: time.precision.mode = structured
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, d date DEFAULT '2020-01-02', t time DEFAULT '01:02:03.456789', s timestamp DEFAULT '2020-01-02 03:04:05.678901', z timestamptz DEFAULT '2020-01-02 03:04:05+00', n timestamp NOT NULL);
-- (workload)
INSERT INTO t (id, n) VALUES (1, '2020-01-01');
DELETE FROM t WHERE id = 1;

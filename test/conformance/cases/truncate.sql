-- TRUNCATE of several tables, which upstream skips by default.
-- option: skipped.operations = none
-- partitions: 1
-- (schema)
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
-- (workload)
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1);
TRUNCATE a, b RESTART IDENTITY;
INSERT INTO a VALUES (3);

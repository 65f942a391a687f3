-- Only some tables, by anchored expressions.
-- option: table.include.list = table_include.a,TABLE_INCLUDE.b.
-- (schema)
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE ab (id int PRIMARY KEY);
CREATE TABLE b1 (id int PRIMARY KEY);
CREATE TABLE b22 (id int PRIMARY KEY);
-- (workload)
INSERT INTO a VALUES (1);
INSERT INTO ab VALUES (1);
INSERT INTO b1 VALUES (1);
INSERT INTO b22 VALUES (1);

-- Markers where tables are empty.
-- option: snapshot.mode = initial
-- option: tombstones.on.delete = false
-- (schema)
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY);
CREATE TABLE c (id int PRIMARY KEY);
INSERT INTO b VALUES (1);
-- (workload)
INSERT INTO a VALUES (1);

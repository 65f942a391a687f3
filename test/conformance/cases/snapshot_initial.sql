-- A snapshot of what is there, its markers, and the stream behind it.
-- option: snapshot.mode = initial
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v text);
CREATE TABLE b (id int PRIMARY KEY, v text);
INSERT INTO a SELECT g, 'row ' || g FROM generate_series(1, 5) g;
INSERT INTO b VALUES (1, 'only');
-- (workload)
INSERT INTO a VALUES (6, 'streamed');

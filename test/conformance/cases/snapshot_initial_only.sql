-- A snapshot and nothing behind it.
-- option: snapshot.mode = initial_only
-- ends: snapshot
-- alone: it does not stream
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v text);
CREATE TABLE b (id int PRIMARY KEY, v text);
CREATE TABLE c (id int PRIMARY KEY);
INSERT INTO a SELECT g, 'row ' || g FROM generate_series(1, 3) g;
INSERT INTO b VALUES (1, 'one'), (2, 'two');
-- (workload)

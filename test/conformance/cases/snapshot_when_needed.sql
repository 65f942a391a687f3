-- snapshot.mode when_needed, where there is no offset yet.
-- option: snapshot.mode = when_needed
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v text);
INSERT INTO a SELECT g, 'row ' || g FROM generate_series(1, 3) g;
-- (workload)
INSERT INTO a VALUES (6, 'streamed');

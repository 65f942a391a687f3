-- A partition is attached.
-- (schema)
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
-- (workload)
INSERT INTO p VALUES (1, 'a');
-- (wait)
CREATE TABLE p2 (v text, id int NOT NULL);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
INSERT INTO p VALUES (11, 'b');

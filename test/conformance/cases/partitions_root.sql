-- A partitioned table published by its root.
-- publication: FOR ALL TABLES WITH (publish_via_partition_root = true)
-- (schema)
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 (v text, id int NOT NULL);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
-- (workload)
INSERT INTO p VALUES (1, 'a'), (11, 'b');
UPDATE p SET v = 'c';
UPDATE p SET id = 12 WHERE id = 1;
DELETE FROM p;

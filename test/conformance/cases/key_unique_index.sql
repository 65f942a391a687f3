-- Without a primary key the first unique index by name is the key, whatever may be null in it.
-- (schema)
CREATE TABLE t (a int, b int, c text, v text);
CREATE UNIQUE INDEX z_first_made ON t (a);
CREATE UNIQUE INDEX b_first_by_name ON t (c, b);
CREATE UNIQUE INDEX a_expression ON t (lower(c));
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 2, 'c', 'v'), (2, NULL, NULL, 'v');
UPDATE t SET v = 'w';
UPDATE t SET b = 5 WHERE a = 1;
DELETE FROM t;

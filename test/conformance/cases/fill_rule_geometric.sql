-- What stands for a geometric column that may not be null.
-- (schema)
CREATE TABLE l (id int PRIMARY KEY, v lseg NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, v box NOT NULL);
CREATE TABLE p (id int PRIMARY KEY, v path NOT NULL);
CREATE TABLE g (id int PRIMARY KEY, v polygon NOT NULL);
-- (workload)
INSERT INTO l VALUES (1, '[(0,0),(1,1)]');
INSERT INTO b VALUES (1, '(2,2),(0,0)');
INSERT INTO p VALUES (1, '[(0,0),(1,1)]');
INSERT INTO g VALUES (1, '((0,0),(0,1),(1,1))');
DELETE FROM l;
DELETE FROM b;
DELETE FROM p;
DELETE FROM g;

-- Only some schemas.
-- option: schema.include.list = schema_include,other.*
-- alone: it has schemas of its own
-- (schema)
CREATE TABLE a (id int PRIMARY KEY);
CREATE SCHEMA other1;
CREATE TABLE other1.a (id int PRIMARY KEY);
CREATE SCHEMA another;
CREATE TABLE another.a (id int PRIMARY KEY);
-- (workload)
INSERT INTO a VALUES (1);
INSERT INTO other1.a VALUES (1);
INSERT INTO another.a VALUES (1);

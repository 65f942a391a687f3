-- Source types in the schema, by column.
-- option: column.propagate.source.type = propagate_column.t..*
-- (schema)
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, v varchar(10), n numeric(10,2), u numeric, t timestamp(3), z timestamptz, c char(3), x text, b bit(4), m mood, a int[], j jsonb);
CREATE TABLE other (id int PRIMARY KEY);
-- (workload)
INSERT INTO t (id) VALUES (1);
INSERT INTO other VALUES (1);

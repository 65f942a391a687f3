-- Source types in the schema, by type.
-- option: datatype.propagate.source.type = .*\.numeric,.*\.VARCHAR,propagate_datatype.*
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v varchar(10), n numeric(10,2), x text);
-- (workload)
INSERT INTO t (id) VALUES (1);

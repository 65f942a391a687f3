-- Another delimiter.
-- option: topic.delimiter = _
-- option: topic.prefix = topic_delimiter._
-- alone: its topics are named otherwise
-- (schema)
CREATE TABLE t (id int PRIMARY KEY);
-- (workload)
INSERT INTO t VALUES (1);

-- Updates that change nothing of what is captured.
-- option: skip.messages.without.change = true
-- option: column.exclude.list = skip_without_change.t.hidden
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text, hidden int);
CREATE TABLE d (id int PRIMARY KEY, v text);
ALTER TABLE t REPLICA IDENTITY FULL;
-- (workload)
INSERT INTO t VALUES (1, 'a', 1), (2, NULL, 1);
UPDATE t SET hidden = 2;
UPDATE t SET v = 'b' WHERE id = 1;
UPDATE t SET v = v;
INSERT INTO d VALUES (1, 'a');
UPDATE d SET v = v;

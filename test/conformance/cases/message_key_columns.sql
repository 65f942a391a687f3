-- Keys of one's own.
-- option: message.key.columns = message_key_columns.a:v,id;message_key_columns.(b|c):w
-- (schema)
CREATE TABLE a (id int PRIMARY KEY, v text, w int);
CREATE TABLE b (w int, x text);
ALTER TABLE a REPLICA IDENTITY FULL;
ALTER TABLE b REPLICA IDENTITY FULL;
CREATE TABLE c (id int PRIMARY KEY, w int);
-- (workload)
INSERT INTO a VALUES (1, 'v', 1), (2, NULL, 2);
UPDATE a SET w = 3;
UPDATE a SET v = 'x';
DELETE FROM a;
INSERT INTO b VALUES (1, 'x'), (NULL, 'y');
UPDATE b SET x = 'z';
INSERT INTO c VALUES (1, 5);
UPDATE c SET w = 6;
DELETE FROM c;

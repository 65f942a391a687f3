-- An array of bits: its schema is that of one.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, b bit(3)[], o bit[]);
-- (workload)
INSERT INTO t VALUES (1, '{101,011}', '{1,0}'), (2, NULL, NULL);

-- Arrays of addresses.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, i inet[], c cidr[], m macaddr[], m8 macaddr8[]);
-- (workload)
INSERT INTO t VALUES (1, '{192.168.2.0/12,::1,NULL}', '{10.0.0.0/8}', '{08:00:2b:01:02:03}', '{08:00:2b:01:02:03:04:05}'), (2, '{}', '{}', '{}', '{}'), (3, NULL, NULL, NULL, NULL);

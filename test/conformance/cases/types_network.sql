-- Addresses.
-- (schema)
CREATE TABLE t (id inet PRIMARY KEY, i inet, c cidr, m macaddr, m8 macaddr8, d inet DEFAULT '127.0.0.1', n inet NOT NULL);
-- (workload)
INSERT INTO t VALUES ('192.168.2.0/12', '192.168.2.1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '::1', '::1/64');
INSERT INTO t VALUES ('::', '2001:db8::/32', '2001:db8::/32', '08002b:010203', '08002b:0102030405', NULL, '0.0.0.0/0'), ('0.0.0.0', NULL, NULL, NULL, NULL, NULL, '1.2.3.4');
INSERT INTO t (id, n) VALUES ('1.1.1.1', '9.9.9.9');
DELETE FROM t WHERE id = '::';

-- uuid.
-- (schema)
CREATE TABLE t (id uuid PRIMARY KEY, u uuid, d uuid DEFAULT '11111111-2222-3333-4444-555555555555', n uuid NOT NULL, g uuid DEFAULT gen_random_uuid());
-- (workload)
INSERT INTO t VALUES ('406c07f3-26f0-4eea-a50c-109940064b8f', 'ABCDEF00-0000-4000-8000-000000000000', NULL, '00000000-0000-0000-0000-000000000000', NULL);
INSERT INTO t VALUES ('ffffffff-ffff-ffff-ffff-ffffffffffff', NULL, NULL, 'ffffffff-ffff-ffff-ffff-ffffffffffff', NULL);
DELETE FROM t WHERE id = '406c07f3-26f0-4eea-a50c-109940064b8f';

-- Decimal as a JSON number, an option of the converter.
-- option: value.converter = org.apache.kafka.connect.json.JsonConverter
-- option: value.converter.decimal.format = NUMERIC
-- option: key.converter = org.apache.kafka.connect.json.JsonConverter
-- option: key.converter.decimal.format = NUMERIC
-- (schema)
CREATE TABLE t (id numeric(5,1) PRIMARY KEY, a numeric(10,2), b numeric, m money, d numeric(5,1) DEFAULT 1.5, r numeric(6,3)[]);
-- (workload)
INSERT INTO t VALUES (1.5, 12.34, 10.10, 1234.5, 2, '{1.5,NULL}'), (2, -0.01, 1e20, 0, 0, '{}'), (3, 0, 0, 0, NULL, NULL), (4, 10000000, 1, -1, 0.1, NULL);
DELETE FROM t WHERE id = 1.5;

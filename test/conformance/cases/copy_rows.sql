-- Rows of one COPY share their position.
-- (schema)
CREATE TABLE t (id int PRIMARY KEY, v text);
-- (workload)
COPY t FROM stdin;
1	a
2	b
3	\N
4	tab\there
\.
INSERT INTO t SELECT g, 'g' FROM generate_series(10, 30) g;

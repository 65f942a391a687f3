"""The conformance suite: the same WAL read by Debezium and by the relay, and what they write compared.

`cases` reads the cases, `groups` gives each group of equal options a database and a pair of slots,
`readers` runs Debezium and the relay, `records` reads Kafka back, `comparison` compares, `golden`
writes what unit tests repeat without Java and without a server.  `run` puts them together.
"""

"""Real servers under test: PostgreSQL clusters, a Kafka node, the relay, and what reads their results.

The integration tests, `make demo` and the benchmarks share this package.  Everything it starts lives
below build/ and is ended by its own process id; everything it waits for is a condition with a deadline.
"""

-- All but messages of some prefixes.
-- alone: messages belong to no table
-- option: message.prefix.exclude.list = foo,b.r
-- (workload)
SELECT pg_logical_emit_message(true, 'foo', '1'), pg_logical_emit_message(true, 'food', '2'), pg_logical_emit_message(true, 'bar', '3'), pg_logical_emit_message(true, 'other', '4');

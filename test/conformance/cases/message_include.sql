-- Only messages of some prefixes.
-- alone: messages belong to no table
-- option: message.prefix.include.list = conformance.*,foo,b.r
-- (workload)
SELECT pg_logical_emit_message(true, 'foo', '1'), pg_logical_emit_message(true, 'food', '2'), pg_logical_emit_message(true, 'BAR', '3'), pg_logical_emit_message(true, 'other', '4');

-- Messages for an HTTP endpoint: what is admitted, what is recorded, and dead letters that the relay redelivers.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

SELECT next_offset, owner_epoch FROM holdfast.inbox_claim('notify', 'n', 0, 0, 'here');
CREATE FUNCTION pg_temp.admit(at bigint, key text, event text, epoch bigint DEFAULT 1, stored bigint DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT event_id || ' ' || outcome
    FROM holdfast.notify_admit('notify', 'POST http://e', 'n', 0, epoch, coalesce(stored, at), at, key,
                               '{"a":1}', 'utf8', jsonb_build_object('id', event))
$$;
CREATE FUNCTION pg_temp.record(at bigint, key text, event text, error text DEFAULT NULL, epoch bigint DEFAULT 1,
                               stored bigint DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT holdfast.notify_record('notify', 'POST http://e', 'n', 0, epoch, coalesce(stored, at), at, key, '{"a":1}',
                                  'utf8', jsonb_build_object('id', event, 'eventType', 'T'), error,
                                  CASE WHEN error IS NOT NULL THEN 'HTTP 400' END)
$$;
CREATE FUNCTION pg_temp.take(topic text DEFAULT 'n', lease interval DEFAULT '1 minute')
RETURNS TABLE (event_id text, attempt int, key text, value text, event_type text) LANGUAGE sql AS $$
    SELECT event_id, attempt, key, value, event_type FROM holdfast.notify_take('notify', topic, lease)
$$;
CREATE FUNCTION pg_temp.settle(event text, attempt int, became text, retry_in interval DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT holdfast.notify_settle(d.id, attempt, became, retry_in, CASE became WHEN 'DEAD' THEN 'HF026' END,
                                  CASE WHEN became <> 'REDRIVEN' THEN 'HTTP 500' END)
    FROM holdfast.dead_letter_entry d WHERE d.consumer = 'notify' AND d.event_id = event
$$;
CREATE FUNCTION pg_temp.entry(event text) RETURNS bigint LANGUAGE sql AS $$
    SELECT id FROM holdfast.dead_letter_entry WHERE consumer = 'notify' AND event_id = event
$$;
CREATE VIEW pg_temp.entries AS
    SELECT event_id, status, attempts, sqlstate, message, due_at IS NOT NULL AS due, resolved_at IS NOT NULL AS resolved
    FROM holdfast.dead_letter_entry WHERE consumer = 'notify' ORDER BY id;
CREATE VIEW pg_temp.stored AS SELECT next_offset FROM holdfast.inbox_offset WHERE consumer = 'notify';

-- Admitted changes nothing; answered moves the offset and is remembered.
SELECT pg_temp.admit(0, 'k', 'e0');
SELECT pg_temp.admit(0, 'k', 'e0');
TABLE pg_temp.stored;
SELECT pg_temp.record(0, 'k', 'e0');
TABLE pg_temp.stored;
SELECT event_id, outcome, kafka_offset FROM holdfast.inbox_seen WHERE consumer = 'notify';
-- The same event again is not sent: what is recorded is that it came.
SELECT pg_temp.admit(1, 'k', 'e0');
TABLE pg_temp.stored;
-- Recorded by another delivery between the two.
SELECT pg_temp.record(2, 'k', 'e0');
TABLE pg_temp.stored;
-- The event id: header, member of the value, place.
SELECT event_id FROM holdfast.notify_admit('notify', 'POST http://e', 'n', 0, 1, 3, 3, 'k', '{"eventId":"in-value"}', 'utf8', '{}');
SELECT event_id FROM holdfast.notify_admit('notify', 'POST http://e', 'n', 0, 1, 3, 4, 'k', NULL, NULL, NULL);
-- Offsets that hold no message are passed over.
SELECT pg_temp.record(5, 'k', 'e5', stored => 3);
TABLE pg_temp.stored;

-- Fenced: another epoch, another offset, never claimed.
SELECT pg_temp.admit(6, 'k', 'e6', epoch => 0);
\echo :SQLSTATE
SELECT pg_temp.admit(7, 'k', 'e6');
\echo :SQLSTATE
SELECT pg_temp.record(6, 'k', 'e6', epoch => 2);
\echo :SQLSTATE
SELECT * FROM holdfast.notify_admit('notify', 'POST http://e', 'n', 1, 1, 0, 0, 'k', NULL, NULL, NULL);
\echo :SQLSTATE
TABLE pg_temp.stored;

-- Refused: a dead letter, and what follows of its key is parked, other keys are not.
SELECT pg_temp.record(6, 'k', 'e6', 'HF026');
SELECT pg_temp.admit(7, 'k', 'e7');
SELECT pg_temp.admit(8, 'k', 'e8');
SELECT pg_temp.admit(9, 'other', 'e9');
-- Answered although its key was blocked meanwhile: it keeps its place behind the dead letter.
SELECT pg_temp.record(9, 'k', 'e9');
TABLE pg_temp.entries;
SELECT event_id, outcome FROM holdfast.inbox_seen WHERE consumer = 'notify' ORDER BY kafka_offset;
SELECT payload->>'value' AS value, payload->>'sqlstate' AS sqlstate, payload->>'message' AS message
FROM holdfast.outbox WHERE aggregatetype = 'n-dlq' ORDER BY id;

-- Redriven: queued for the relay, once.
SELECT * FROM pg_temp.take();
SELECT outcome, message FROM holdfast.redrive(pg_temp.entry('e6'));
DO $$
BEGIN
    PERFORM holdfast.redrive((SELECT id FROM holdfast.dead_letter_entry WHERE consumer = 'notify' AND event_id = 'e6'));
EXCEPTION WHEN SQLSTATE 'HF021' THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, '\d+', 'N');
END
$$;
SELECT event_id, status, parked_behind FROM holdfast.dead_letter WHERE consumer = 'notify';
SELECT * FROM pg_temp.take('another');
SELECT * FROM pg_temp.take();
-- Leased: nobody else gets it.
SELECT * FROM pg_temp.take();
-- Not answered: later, and not before.
SELECT pg_temp.settle('e6', 2, 'QUEUED', '1 hour');
SELECT * FROM pg_temp.take();
SELECT pg_temp.settle('e6', 2, 'QUEUED', '0');
SELECT * FROM pg_temp.take(lease => '0');
-- The lease was over and another relay has it: the first one's word counts no more.
SELECT * FROM pg_temp.take();
SELECT pg_temp.settle('e6', 3, 'REDRIVEN');
SELECT event_id, status FROM pg_temp.entries LIMIT 1;
-- Refused again, and later not.
SELECT pg_temp.settle('e6', 4, 'DEAD');
TABLE pg_temp.entries;
SELECT pg_temp.settle('e6', 4, 'REDRIVEN');
SELECT outcome FROM holdfast.redrive(pg_temp.entry('e6'));
SELECT event_id FROM pg_temp.take();
SELECT pg_temp.settle('e6', 5, 'REDRIVEN');
TABLE pg_temp.entries;
-- The next of the key, which is refused and published for the first time.
SELECT event_id FROM pg_temp.take();
SELECT pg_temp.settle('e7', 1, 'DEAD');
SELECT count(*) FROM holdfast.outbox WHERE aggregatetype = 'n-dlq';
SELECT * FROM pg_temp.take();
SELECT pg_temp.admit(10, 'k', 'e10');
-- Given up: the next is queued. It can be given up before it is delivered, too.
SELECT outcome, message FROM holdfast.discard(pg_temp.entry('e7'), 'old news');
SELECT outcome, message FROM holdfast.discard(pg_temp.entry('e8'), 'older news');
SELECT pg_temp.settle('e8', 0, 'REDRIVEN');
SELECT event_id FROM pg_temp.take();
SELECT pg_temp.settle('e9', 1, 'REDRIVEN');
SELECT event_id FROM pg_temp.take();
SELECT count(*) AS blocked FROM holdfast.inbox_block WHERE consumer = 'notify';
SELECT pg_temp.settle('e10', 1, 'REDRIVEN');
SELECT count(*) AS blocked FROM holdfast.inbox_block WHERE consumer = 'notify';
TABLE pg_temp.entries;
SELECT event_id, outcome FROM holdfast.inbox_seen WHERE consumer = 'notify' ORDER BY kafka_offset;
SELECT pg_temp.admit(11, 'k', 'e11');

-- What a procedure has to take is not called by the relay's settling: it waits for a person.
SELECT pg_temp.record(11, 'k', 'e11', 'HF026');
SELECT (holdfast.inbox_apply('notify', 'holdfast.on_order_failed(text,jsonb,jsonb)', 'n', 0, 1, 12, 13, '{12}', '{k}', '{"{}"}',
                             NULL, ARRAY['{"id":"e12"}'::jsonb])).outcome;
-- (All dead letters of a topic at once.)
SELECT r.outcome FROM holdfast.dead_letter d, holdfast.redrive(d.id) r WHERE d.topic = 'n' AND d.status = 'DEAD';
SELECT event_id FROM pg_temp.take();
SELECT pg_temp.settle('e11', 2, 'REDRIVEN');
SELECT event_id, status, sqlstate, message FROM holdfast.dead_letter WHERE consumer = 'notify';
SELECT outcome FROM holdfast.discard(pg_temp.entry('e12'), 'mixed');

-- No such end, no such entry.
SELECT holdfast.notify_settle(1, 1, 'DISCARDED', NULL, NULL, NULL);
\echo :SQLSTATE
SELECT holdfast.notify_settle(-1, 1, 'REDRIVEN', NULL, NULL, NULL) IS NULL AS unknown;
SELECT count(*) FROM holdfast.dead_letter WHERE consumer = 'notify';

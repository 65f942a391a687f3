"""One transaction of any size goes through in bounded memory: rows, savepoints that are rolled back, an ALTER
TABLE, TOAST and logical messages in it, in their order.

HOLDFAST_LARGE_ROWS and HOLDFAST_LARGE_SAVEPOINTS say how much: 1000000 and 10000 by hand, less in `make test`.
"""

import json
import os
import time

from harness.waiting import wait_until

ROWS = int(os.environ.get("HOLDFAST_LARGE_ROWS", "40000"))
SAVEPOINTS = int(os.environ.get("HOLDFAST_LARGE_SAVEPOINTS", "1000"))
TOASTED = 100
PEAK_BYTES = 128 * 2**20

BULK = """
CREATE PROCEDURE pg_temp.rows(first int, last int, pad int DEFAULT 0) LANGUAGE sql AS $$
    INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, payload)
    SELECT holdfast.uuid_v7(), 'bulk', (n % 7)::text, 'Bulk', format(
        '{"n":%s,"eventType":"InventoryReserved","orderId":%s,"lines":[{"productId":1,"quantity":3}],"pad":"%s"}', n, n,
        (SELECT string_agg(md5(n::text || i::text), '') FROM generate_series(1, pad) AS i))::json
    FROM generate_series(first, last) AS n
$$;
CREATE PROCEDURE pg_temp.savepoints(first int, last int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN first .. last LOOP
        BEGIN
            CALL pg_temp.rows(n, n);
            IF n % 3 = 0 THEN
                -- A message goes the way of its savepoint too.
                PERFORM pg_logical_emit_message(true, 'outbox', format(
                    '{"id":"m-%s","aggregatetype":"bulk","aggregateid":"m","type":"Message","payload":{"m":%s}}', n, n));
            END IF;
            IF n % 2 = 0 THEN
                RAISE EXCEPTION 'taken back';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
END $$;
"""


def records_of(shop, topic, count):
    """The first `count` records, without keeping them."""
    batches = shop.kafka.follow(topic)
    try:
        for batch in batches:
            for record in batch[:count]:
                yield record
            count -= len(batch)
            if count <= 0:
                return
    finally:
        batches.close()


def test_rows_savepoints_alter_toast_and_messages_in_one_transaction(make_shop):
    shop = make_shop(partitions=1)
    topic = shop.topic("bulk")
    shop.kafka.create(topic, partitions=1)
    relay = shop.run_relay()
    first = ROWS // 2
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute(BULK)
        connection.execute("CALL pg_temp.rows(1, %s)", (first,))
        connection.execute("ALTER TABLE holdfast.outbox ADD COLUMN note text DEFAULT 'new'")
        connection.execute("CALL pg_temp.savepoints(%s, %s)", (first + 1, first + SAVEPOINTS))
        connection.execute("ALTER TABLE holdfast.outbox DROP COLUMN note")
        connection.execute("CALL pg_temp.rows(%s, %s, 3000)", (first + SAVEPOINTS + 1, first + SAVEPOINTS + TOASTED))
        connection.execute("CALL pg_temp.rows(%s, %s)", (first + SAVEPOINTS + TOASTED + 1, ROWS + SAVEPOINTS + TOASTED))
        connection.commit()
        committed = time.monotonic()
    kept = [n for n in range(1, ROWS + SAVEPOINTS + TOASTED + 1) if not first < n <= first + SAVEPOINTS or n % 2 == 1]
    messages = [n for n in range(first + 1, first + SAVEPOINTS + 1) if n % 2 == 1 and n % 3 == 0]
    want = len(kept) + len(messages)
    wait_until(lambda: shop.kafka.count(topic) >= want or not relay.running(),
               lambda: f"{shop.kafka.count(topic)} of {want}\n{relay.log_text()[-2000:]}", 300)
    seconds = time.monotonic() - committed
    cpu_s, peak = relay.usage()
    print(f"{want} records {seconds:.1f} s after the commit, {want / seconds:.0f}/s; relay {cpu_s:.1f} s CPU, peak {peak / 2**20:.0f} MiB")
    assert peak <= PEAK_BYTES

    rows, told = [], []
    for record in records_of(shop, topic, want):
        value = json.loads(record.value)
        if "m" in value:
            told.append(value["m"])
            assert rows[-1] == value["m"], "a message stands behind the row that was written before it"
        else:
            rows.append(value["n"])
            assert len(value["pad"]) == (96_000 if first + SAVEPOINTS < value["n"] <= first + SAVEPOINTS + TOASTED else 0)
    assert rows == kept
    assert told == messages
    # It is confirmed as one, and only now.
    assert relay.terminate()[0] == 0
    assert shop.inserts_to_come() == 0

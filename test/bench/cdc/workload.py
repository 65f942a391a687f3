"""What is written to PostgreSQL: outbox rows, and changes of a table with twenty columns of mixed types."""

from place import PUBLICATION

OUTBOX = """
CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload json);
"""

# An event as the extension writes it: about 250 bytes.
EVENT = """json_build_object('eventId', gen_random_uuid(), 'eventType', 'InventoryReserved', 'schemaVersion', 1,
    'occurredAt', '2026-01-01T00:00:00.000000Z', 'orderId', {n}, 'userId', 7,
    'lines', json_build_array(json_build_object('productId', 1, 'quantity', 3)), 'amount', 30000, 'currency', 'KRW')"""

# One row a transaction.
OUTBOX_BACKLOG = f"""
CREATE PROCEDURE outbox_backlog(rows int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. rows LOOP
        INSERT INTO outbox (aggregatetype, aggregateid, type, payload)
        VALUES ('order', n::text, 'InventoryReserved', {EVENT.format(n="n")});
        COMMIT;
    END LOOP;
END $$
"""

COLUMNS = """
    id bigint PRIMARY KEY, token uuid NOT NULL, small smallint, whole int NOT NULL, big bigint, single real, twice double precision,
    price numeric(12,2) NOT NULL, active boolean NOT NULL, code varchar(20), title text NOT NULL, country char(2), born date,
    opens time, seen timestamp, created timestamptz NOT NULL, settings jsonb, photo bytea, marks int[], note text
"""
ROW = """
    gen_random_uuid(), ({n} % 30000)::smallint, {n}::int, {n}::bigint * 1000003, ({n} % 1000) / 8.0, {n} / 7.0,
    ({n} % 100000)::numeric / 100, {n} % 3 = 0, 'code-' || {n}, 'The title of row ' || {n}, 'KR', date '1990-01-01' + ({n} % 10000)::int,
    time '00:00' + ({n} % 86400) * interval '1 second', timestamp '2026-01-01' + {n} * interval '1.000001 second',
    timestamptz '2026-01-01 UTC' + {n} * interval '1.5 second', jsonb_build_object('n', {n}, 'theme', 'dark', 'beta', true),
    decode(md5(({n})::text), 'hex'), ARRAY[{n} % 7, {n} % 11, {n} % 13]::int[], CASE WHEN {n} % 2 = 0 THEN 'a note' END
"""

# Ten changes a transaction: five inserts, four updates, a delete; a delete has a tombstone behind it.
CHANGES_PER_TRANSACTION, RECORDS_PER_TRANSACTION = 10, 11
CHANGES_BACKLOG = f"""
CREATE PROCEDURE changes_backlog(transactions int) LANGUAGE plpgsql AS $$
BEGIN
    FOR t IN 0 .. transactions - 1 LOOP
        INSERT INTO mixed SELECT n, {ROW.format(n="n")} FROM generate_series(t * 5 + 1, t * 5 + 5) AS n;
        UPDATE mixed SET price = price + 1, seen = now(), note = 'changed' WHERE id BETWEEN t * 5 + 1 AND t * 5 + 4;
        DELETE FROM mixed WHERE id = t * 5 + 5;
        COMMIT;
    END LOOP;
END $$
"""


def _publish(place, table):
    place.query(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE {table} WITH (publish = 'insert, update, delete')")


def _call(place, statement, *args):
    with place.cluster.connect(place.name) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(statement, args or None)
    place.query("CHECKPOINT")
    return place.value("SELECT pg_current_wal_flush_lsn()")


def outbox(place, rows):
    """The backlog of an outbox behind the slot `origin`: the LSN after it."""
    place.query(OUTBOX)
    _publish(place, "outbox")
    place.query(OUTBOX_BACKLOG)
    place.create_slot("origin")
    return _call(place, "CALL outbox_backlog(%s)", rows)


def changes(place, transactions):
    place.query(f"CREATE TABLE mixed ({COLUMNS})")
    _publish(place, "mixed")
    place.query(CHANGES_BACKLOG)
    place.create_slot("origin")
    return _call(place, "CALL changes_backlog(%s)", transactions)


def one_transaction(place, rows):
    place.query(f"CREATE TABLE mixed ({COLUMNS})")
    _publish(place, "mixed")
    place.create_slot("origin")
    return _call(place, f"INSERT INTO mixed SELECT n, {ROW.format(n='n')} FROM generate_series(1, {rows}) AS n")


def table(place, rows):
    """Rows for a snapshot; there is no slot."""
    place.query(f"CREATE TABLE mixed ({COLUMNS})")
    _publish(place, "mixed")
    _call(place, f"INSERT INTO mixed SELECT n, {ROW.format(n='n')} FROM generate_series(1, {rows}) AS n")
    place.query("VACUUM ANALYZE mixed")


def live_outbox(place):
    """An outbox that is written to while it is read: `SINGLE` is one event, whose key is its number."""
    place.query(OUTBOX)
    _publish(place, "outbox")
    place.query("CREATE SEQUENCE number")


SINGLE = f"""INSERT INTO outbox (aggregatetype, aggregateid, type, payload)
SELECT 'order', n::text, 'InventoryReserved', {EVENT.format(n="n")} FROM nextval('number') AS n;
"""

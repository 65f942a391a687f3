"""`import-debezium --take-over` of tables against a real Debezium, under load: it stops somewhere, the relay goes on, and
the topics have every change, those of a key in their order.  Of an outbox: test_take_over.py."""

import random
import threading
from collections import defaultdict

import pytest

from harness.change_events import change_events, folded
from harness.take_over import SLOW, USER, TakeOver, closing
from harness.waiting import wait_until

JSON = {f"{part}.converter{name}": value for part in ("key", "value")
        for name, value in (("", "org.apache.kafka.connect.json.JsonConverter"), (".schemas.enable", "false"))}
TABLES = ("item", "line")
WRITERS = 3
IDS = 400  # of each writer and table
TOMBSTONE = "tombstone", None


def key_of(table, number):
    """The key of a row as its event has it: of one column, or of two."""
    return {"id": number} if table == "item" else {"item": number // 10, "number": number % 10}


class Migration(TakeOver):
    """Two tables that a connector captures, and a third that is only published."""

    def __init__(self, shop, directory, **properties):
        shop.query("CREATE TABLE item (id int PRIMARY KEY, version bigint NOT NULL)")
        shop.query("CREATE TABLE line (version bigint NOT NULL, number int, item int, PRIMARY KEY (item, number))")
        shop.query("ALTER TABLE line REPLICA IDENTITY FULL")
        shop.query("CREATE TABLE aside (id bigserial PRIMARY KEY, note text)")
        shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE item, line, aside")
        super().__init__(shop, directory, **{"table.include.list": "public.item,public.line", **JSON, **properties})
        shop.query(f"GRANT SELECT ON item, line TO {USER}")
        self.kafka.create(*(self.topic(table) for table in TABLES), partitions=3)

    def topic(self, table):
        return f"{self.name}.public.{table}"

    def found(self, table):
        return change_events(self.kafka, self.topic(table))

    def by_key(self):
        """{(table, key): [(op, version)]} of what the topics have."""
        seen = defaultdict(list)
        for table in TABLES:
            for key, value in self.found(table):
                seen[table, *key.values()].append(TOMBSTONE if value is None else
                                                  (value["op"], value["after"] and value["after"]["version"]))
        return seen

    def wait_confirmed(self):
        """Until the slot is confirmed up to what is written now: Kafka has all of it."""
        end = self.shop.value("SELECT pg_current_wal_flush_lsn()")
        wait_until(lambda: self.shop.value("SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
                                           end, self.name), lambda: f"all is confirmed:\n{self.relay.tail()}", 120)

    def require_tables(self):
        """The topics add up to what the tables have."""
        for table in TABLES:
            rows = self.shop.query(f"SELECT * FROM {table}")
            assert folded(self.found(table)) == {(tuple(key_of("line", row.item * 10 + row.number).values()) if table == "line" else row.id):
                                                 row._asdict() for row in rows}


class Writer(threading.Thread):
    """Inserts, changes, deletes and moves rows whose numbers leave `remainder` behind, in transactions of up to 40
    changes or by COPY, until it is told to stop, and notes what becomes of each key.  A version is given once."""

    def __init__(self, migration, remainder):
        super().__init__()
        self._connection = migration.shop.connect("postgres", autocommit=False)
        self._random = random.Random(remainder)
        self._there = {table: set() for table in TABLES}
        self._free = {table: {n * WRITERS + remainder for n in range(IDS)} for table in TABLES}
        self._version = remainder
        self._ended = threading.Event()
        self.expected = defaultdict(list)  # (table, key): [(op, version)]
        self.transactions = 0

    def run(self):
        while not self._ended.is_set():
            if self._random.random() < 0.05:
                self._copy()
            else:
                for _ in range(self._random.randint(1, 40)):
                    self._change(self._random.choice(TABLES))
            self._connection.execute("INSERT INTO aside (note) VALUES ('nobody has asked')")
            self._connection.commit()
            self.transactions += 1

    def stop(self):
        self._ended.set()
        self.join()
        self._connection.close()

    def _next(self):
        self._version += WRITERS
        return self._version

    def _take(self, numbers):
        number = self._random.choice(sorted(numbers))
        numbers.remove(number)
        return number

    def _note(self, table, number, *records):
        self.expected[table, *key_of(table, number).values()] += records

    def _copy(self):
        numbers = [self._take(self._free["item"]) for _ in range(min(20, len(self._free["item"])))]
        with self._connection.cursor().copy("COPY item FROM STDIN") as stream:
            for number in numbers:
                version = self._next()
                stream.write_row((number, version))
                self._note("item", number, ("c", version))
        self._there["item"].update(numbers)

    def _change(self, table):
        there, free, version = self._there[table], self._free[table], self._next()
        what = self._random.choice(("insert", "update", "update", "delete", "move")) if there and free else "insert" if free else "delete"
        if what == "insert":
            number = self._take(free)
            columns = key_of(table, number)
            self._execute(f"INSERT INTO {table} (version, {', '.join(columns)}) VALUES (%s{', %s' * len(columns)})",
                          version, *columns.values())
            self._note(table, number, ("c", version))
            there.add(number)
            return
        number = self._take(there)
        key = key_of(table, number)
        where = " AND ".join(f"{column} = %s" for column in key)
        if what == "update":
            self._execute(f"UPDATE {table} SET version = %s WHERE {where}", version, *key.values())
            self._note(table, number, ("u", version))
            there.add(number)
            return
        self._note(table, number, ("d", None), TOMBSTONE)
        if what == "delete":
            self._execute(f"DELETE FROM {table} WHERE {where}", *key.values())
        else:
            to = self._take(free)
            columns = key_of(table, to)
            self._execute(f"UPDATE {table} SET version = %s, {', '.join(f'{column} = %s' for column in columns)} WHERE {where}",
                          version, *columns.values(), *key.values())
            self._note(table, to, ("c", version))
            there.add(to)
        free.add(number)

    def _execute(self, statement, *values):
        assert self._connection.execute(statement, values).rowcount == 1


class Load:
    """All the writers, while the block lasts."""

    def __init__(self, migration):
        self.writers = [Writer(migration, remainder) for remainder in range(WRITERS)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            writer.stop()

    def wait_more(self, transactions=20):
        """Until each has written that many more."""
        before = [writer.transactions for writer in self.writers]
        wait_until(lambda: all(writer.transactions >= count + transactions for writer, count in zip(self.writers, before, strict=True)),
                   "the load goes on")

    def expected(self):
        return {key: records for writer in self.writers for key, records in writer.expected.items()}


@pytest.fixture
def make_migration(make_shop, directory):
    yield from closing(Migration, make_shop, directory)


def repeated(expected, before, after):
    """How many records came twice.  Each key has first, in order, what the connector has sent of it, then the rest:
    nothing is missing, and what is repeated is the end of what was sent."""
    count = 0
    for key in expected.keys() | before.keys() | after.keys():
        wanted, first = expected.get(key, []), before.get(key, [])
        rest = after.get(key, [])[len(first):]
        assert first == wanted[:len(first)] and after.get(key, [])[:len(first)] == first, f"{key}: what the connector sent"
        assert rest == wanted[len(wanted) - len(rest):] and len(first) + len(rest) >= len(wanted), (
            f"{key}: {wanted} is wanted, {first} was sent, and then {rest}")
        count += len(first) + len(rest) - len(wanted)
    return count


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_under_load_no_change_is_missing_and_each_key_is_in_order(make_migration, end):
    migration = make_migration(**SLOW)
    migration.debezium.start()
    with Load(migration) as load:
        migration.wait_count(migration.topic("item"), 300)
        migration.wait_count(migration.topic("line"), 300)
        load.wait_more()
        getattr(migration.debezium, end)()
        before = migration.by_key()
        load.wait_more()
        taken = migration.take_over()
        assert taken.returncode == 0, taken.stderr
        load.wait_more()
        migration.run_relay()
        wait_until(lambda: "event=stream_started" in migration.log.read_text(), "the relay streams")
        load.wait_more()
    migration.wait_confirmed()
    expected, after = load.expected(), migration.by_key()
    sent, wanted = (sum(map(len, records.values())) for records in (before, expected))
    again = repeated(expected, before, after)
    print(f"{end}: the connector sent {sent} records of {wanted}; {again} came twice")
    assert sent < wanted, "it was stopped in the middle"
    # After a stop in order, at most a key change's tombstone and its new row; after kill -9, what the stored offset does not know.
    assert again <= (2 if end == "stop" else sent)
    migration.require_tables()


def test_a_key_change_that_the_connector_has_sent_in_part_is_completed(make_migration):
    """It is three records of one offset, and the connector takes one at a time."""
    migration = make_migration(**{"max.batch.size": "1", "max.queue.size": "2", "poll.interval.ms": "40"})
    migration.shop.query("INSERT INTO item SELECT g, g FROM generate_series(1, 3000) g")
    migration.debezium.start()
    migration.shop.query("UPDATE item SET id = id + 10000, version = id + 10000")
    topic = migration.topic("item")
    while True:
        migration.wait_count(topic, migration.kafka.count(topic) + 10)
        migration.debezium.stop()
        if migration.kafka.count(topic) % 3:
            break
        migration.debezium.start()
    before = migration.by_key()
    sent = sum(map(len, before.values()))
    assert sent < 9000, "it was stopped in the middle"
    taken = migration.take_over()
    assert taken.returncode == 0, taken.stderr
    migration.run_relay().wait_confirmed()
    expected = {("item", n): [("d", None), TOMBSTONE] for n in range(1, 3001)} | {("item", n): [("c", n)] for n in range(10_001, 13_001)}
    assert repeated(expected, before, migration.by_key()) <= 1
    migration.require_tables()

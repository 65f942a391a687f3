"""Incremental snapshots, end to end: rows that were there before become records while the table changes, none
older than what was sent before it; a snapshot goes on where it was, whatever happens to the relay."""

import contextlib
import threading

import pytest
from harness.change_events import change_events, folded
from harness.waiting import holds_for, wait_until
from test_change_events import capture, events, publish_tables, topic

CHUNK = {"incremental.snapshot.chunk.size": 100}


def take_snapshot(shop, tables, condition=None):
    return shop.value("CALL holdfast.snapshot(%s, %s, %s)", tables, condition, shop.slot)


@contextlib.contextmanager
def locked(shop, relay, table):
    """A snapshot of `table` was asked for, and the table is locked before the relay can read it.  (From PostgreSQL 16 on the
    request itself would wait for the lock.)"""
    relay.pause()
    snapshot_id = take_snapshot(shop, f"public.{table}")
    with shop.connect("postgres") as other, other.transaction():
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        relay.resume()
        yield snapshot_id


def look(shop, snapshot_id):
    """The rows of holdfast.snapshots: one for each table."""
    return shop.query("SELECT * FROM holdfast.snapshots WHERE snapshot_id = %s ORDER BY ordinal", snapshot_id)


def wait_ended(shop, snapshot_id, relay, status="COMPLETED"):
    wait_until(lambda: look(shop, snapshot_id)[0].status == status,
               lambda: f"{status}; it is {look(shop, snapshot_id)}\n{relay.log_text()[-1500:]}", 60)
    return look(shop, snapshot_id)


def wait_rows(shop, snapshot_id, rows, relay):
    wait_until(lambda: look(shop, snapshot_id)[0].rows_sent >= rows,
               lambda: f"{rows} rows; {look(shop, snapshot_id)}\n{relay.log_text()[-1500:]}", 60)


def records(shop, table):
    return change_events(shop.kafka, topic(shop, table))


def reads(shop, table):
    return [value for _, value in records(shop, table) if value and value["op"] == "r"]


class Writer(threading.Thread):
    """Changes rows of `item` whose id leaves `remainder` behind, one transaction each, until it is told to stop.
    Every change gets a version of its own, and later ones get higher ones."""

    def __init__(self, shop, remainder, writers):
        super().__init__()
        self._connection = shop.connect("postgres")
        self._remainder, self._writers = remainder, writers
        self._ended = threading.Event()
        self.changes = 0

    def run(self):
        mine = f"SELECT id FROM item WHERE id %% {self._writers} = {self._remainder} ORDER BY random() LIMIT 1"
        statements = ("UPDATE item SET version = nextval('version') WHERE id = ANY (%s)",
                      "UPDATE item SET version = nextval('version'), pad = md5(random()::text) WHERE id = ANY (%s)",
                      f"UPDATE item SET version = nextval('version'), id = (id + {self._writers * 3000}) %% 12000"
                      " WHERE id = ANY (%s) AND NOT EXISTS"
                      f" (SELECT FROM item o WHERE o.id = (item.id + {self._writers * 3000}) %% 12000)",
                      "DELETE FROM item WHERE id = ANY (%s)")
        while not self._ended.is_set():
            ids = [row.id for row in self._connection.execute(mine.replace("%%", "%"))]
            self._connection.execute(statements[self.changes % len(statements)], (ids,))
            self.changes += 1

    def stop(self):
        self._ended.set()
        self.join()
        self._connection.close()


def require_never_back(found):
    """The versions of a key only grow."""
    newest = {}
    for key, value in found:
        if value and value["after"]:
            version = value["after"]["version"]
            assert newest.get(key["id"], 0) <= version, f"{key} goes back to {version} with {value['op']}"
            newest[key["id"]] = version


def test_a_table_that_changes_meanwhile_is_complete_and_never_goes_back(shop):
    shop.query("CREATE SEQUENCE version")
    publish_tables(shop, "item (id int PRIMARY KEY, version bigint NOT NULL, pad text)")
    shop.query("INSERT INTO item SELECT 2 * n, nextval('version'), 'p' FROM generate_series(0, 5999) n")
    relay = capture(shop, ["item"], partitions=3, connector=CHUNK)
    writers = [Writer(shop, 2 * remainder, 4) for remainder in range(2)]
    for writer in writers:
        writer.start()
    try:
        wait_until(lambda: all(writer.changes > 10 for writer in writers), "all are writing")
        snapshot_id = take_snapshot(shop, "public.item")
        wait_ended(shop, snapshot_id, relay)
    finally:
        for writer in writers:
            writer.stop()
    shop.query("INSERT INTO item VALUES (1, nextval('version'), 'the last')")
    wait_until(lambda: 1 in folded(records(shop, "item")), "the last change", 30)
    found = records(shop, "item")
    require_never_back(found)
    assert folded(found) == {row.id: row._asdict() for row in shop.query("SELECT id, version, pad FROM item")}
    read = [value for _, value in found if value and value["op"] == "r"]
    assert len(read) == look(shop, snapshot_id)[0].rows_sent > 3000
    assert all(value["source"]["snapshot"] == "incremental" and value["source"]["lsn"] is None and
               value["source"]["txId"] is None and value["transaction"] is None for value in read)
    print(f"{len(read)} rows read beside {sum(writer.changes for writer in writers)} changes")


def test_metrics_say_how_far_snapshots_are(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    shop.query("INSERT INTO item SELECT g FROM generate_series(1, 250) g")
    relay = capture(shop, ["item"], connector=CHUNK)

    def value(name, status=None):
        labels = 'kind="incremental"' + (f',status="{status}"' if status else "")
        return relay.metrics().get(f"holdfast_relay_{name}{{{labels}}}")

    wait_until(lambda: value("snapshots", "PAUSED") == 0, "metrics before the first", 30)
    with locked(shop, relay, "item") as snapshot_id:
        wait_until(lambda: value("snapshots", "RUNNING") == 1, "it runs", 30)
        assert (value("snapshot_tables"), value("snapshot_tables_remaining"), value("snapshot_rows_total")) == (1, 1, 0)
        started = shop.value("SELECT extract(epoch FROM started_at)::bigint FROM holdfast.snapshot_run")
        assert value("snapshot_start_time_seconds") == started
        shop.query("SELECT holdfast.snapshot_pause(%s)", snapshot_id)
        wait_until(lambda: (value("snapshots", "PAUSED"), value("snapshots", "RUNNING")) == (1, 0), "it is paused", 30)
    shop.query("SELECT holdfast.snapshot_resume(%s)", snapshot_id)
    wait_ended(shop, snapshot_id, relay)
    assert value("snapshot_rows_total") == 250
    wait_until(lambda: value("snapshots", "COMPLETED") == 1, "it is completed", 30)
    assert (value("snapshots", "PAUSED"), value("snapshot_tables"), value("snapshot_start_time_seconds")) == (0, 0, 0)


def test_a_killed_relay_goes_on_behind_the_last_row_that_kafka_has(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, pad text)")
    shop.query("INSERT INTO item SELECT n, 'x' FROM generate_series(1, 20000) n")
    relay = capture(shop, ["item"], connector=CHUNK)
    snapshot_id = take_snapshot(shop, "public.item")
    wait_rows(shop, snapshot_id, 1000, relay)
    relay.kill()
    at_kill = look(shop, snapshot_id)[0]
    assert at_kill.rows_sent < 20_000 and at_kill.last_key == [str(at_kill.rows_sent)]
    sent = len(reads(shop, "item"))
    relay.start()
    assert wait_ended(shop, snapshot_id, relay)[0].rows_sent == 20_000
    ids = [value["after"]["id"] for value in reads(shop, "item")]
    assert ids[sent:] == list(range(at_kill.rows_sent + 1, 20_001))
    assert set(ids) == set(range(1, 20_001))
    assert sent - at_kill.rows_sent <= 100, "no more than a chunk comes twice"


def test_paused_it_waits_resumed_it_goes_on_stopped_it_is_over(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)", "other (id int PRIMARY KEY)")
    shop.query("INSERT INTO item SELECT generate_series(1, 20000)")
    relay = capture(shop, ["item", "other"], connector={"incremental.snapshot.chunk.size": 20})
    snapshot_id = take_snapshot(shop, "public.item")
    wait_rows(shop, snapshot_id, 100, relay)
    assert shop.value("SELECT holdfast.snapshot_pause()") == 1
    shop.query("INSERT INTO other VALUES (1)")
    events(shop, "other", 1)  # the pause was streamed before it
    wait_until(lambda: len(reads(shop, "item")) == look(shop, snapshot_id)[0].rows_sent, "the last chunk is in the books")
    paused = look(shop, snapshot_id)[0]
    assert paused.status == "PAUSED" and paused.rows_sent < 20_000
    holds_for(lambda: look(shop, snapshot_id)[0].rows_sent == paused.rows_sent, 0.5, "nothing is read")
    assert shop.value("SELECT holdfast.snapshot_resume(%s)", snapshot_id) == 1
    wait_rows(shop, snapshot_id, paused.rows_sent + 100, relay)
    assert shop.value("SELECT holdfast.snapshot_stop(%s)", snapshot_id) == 1
    shop.query("INSERT INTO other VALUES (2)")
    events(shop, "other", 2)
    stopped = look(shop, snapshot_id)[0]
    assert stopped.status == "STOPPED" and stopped.rows_sent < 20_000
    ids = [value["after"]["id"] for value in reads(shop, "item")]
    assert ids == list(range(1, len(ids) + 1)), "in order, each once"
    # The next one is read from the beginning.
    again = take_snapshot(shop, "public.other")
    assert wait_ended(shop, again, relay)[0].rows_sent == 2


def test_two_tables_a_condition_and_a_key_of_several_columns(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, pad text)",
                   'line (number int, "Order" text, amount numeric(10,2), twice numeric GENERATED ALWAYS AS (amount * 2) STORED, '
                   'PRIMARY KEY ("Order", number))')
    shop.query("INSERT INTO item SELECT n, repeat('x', n % 7) FROM generate_series(1, 1000) n")
    shop.query("INSERT INTO line SELECT n % 10, 'o' || n / 10, n FROM generate_series(0, 999) n")
    relay = capture(shop, ["item", "line"], connector=CHUNK)
    snapshot_id = take_snapshot(shop, 'public.line, public.item')
    line, item = wait_ended(shop, snapshot_id, relay)
    assert (line.data_collection, line.rows_sent, item.data_collection, item.rows_sent) == (
        "public.line", 1000, "public.item", 1000)
    rows = [value["after"] for value in reads(shop, "line")]
    assert [(row["Order"], row["number"]) for row in rows] == [
        (row[0], row[1]) for row in shop.query('SELECT "Order", number FROM line ORDER BY "Order", number')]
    assert set(rows[0]) == {"number", "Order", "amount"}, "what the stream does not have, a snapshot does not add"
    some = take_snapshot(shop, "public.item", "WHERE id % 300 = 0 OR id = 1")
    assert wait_ended(shop, some, relay)[0].rows_sent == 4
    assert [value["after"]["id"] for value in reads(shop, "item")[1000:]] == [1, 300, 600, 900]


def test_what_cannot_be_read_fails_with_a_reason_and_the_stream_goes_on(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)", "other (id int PRIMARY KEY)")
    shop.query("INSERT INTO item SELECT generate_series(1, 10)")
    relay = capture(shop, ["item"], connector=CHUNK)
    shop.query(f"ALTER PUBLICATION {shop.name} ADD TABLE other")
    not_captured = take_snapshot(shop, "public.other")
    assert "is not captured" in wait_ended(shop, not_captured, relay, "FAILED")[0].last_error
    shop.query("ALTER TABLE item OWNER TO postgres")
    not_allowed = take_snapshot(shop, "public.item")
    assert "needs SELECT" in wait_ended(shop, not_allowed, relay, "FAILED")[0].last_error
    shop.query("GRANT SELECT ON item TO shop_relay")
    allowed = take_snapshot(shop, "public.item")
    assert wait_ended(shop, allowed, relay)[0].rows_sent == 10
    shop.query("INSERT INTO item VALUES (11)")
    wait_until(lambda: records(shop, "item")[-1][0] == {"id": 11}, "the stream goes on")
    assert relay.running()


def test_a_locked_table_holds_up_its_snapshot_and_nothing_else(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)", "other (id int PRIMARY KEY)")
    shop.query("INSERT INTO item SELECT generate_series(1, 10)")
    relay = capture(shop, ["item", "other"], connector=CHUNK)
    with locked(shop, relay, "item") as snapshot_id:
        wait_until(lambda: relay.events("incremental_snapshot_retry"), "it has tried", 30)
        shop.query("INSERT INTO other VALUES (1)")
        events(shop, "other", 1)
        assert reads(shop, "item") == []
    assert wait_ended(shop, snapshot_id, relay)[0].rows_sent == 10


@pytest.mark.parametrize("change, rows", [("ADD COLUMN age int NOT NULL DEFAULT 18", {"id", "name", "age"}),
                                          ("ALTER COLUMN id TYPE bigint", {"id", "name"})])
def test_a_table_that_changes_its_shape_meanwhile_is_complete(shop, change, rows):
    publish_tables(shop, "item (id int PRIMARY KEY, name text)")
    shop.query("INSERT INTO item SELECT n, 'n' FROM generate_series(1, 10000) n")
    relay = capture(shop, ["item"], connector=CHUNK)
    snapshot_id = take_snapshot(shop, "public.item")
    wait_rows(shop, snapshot_id, 500, relay)
    shop.query(f"ALTER TABLE item {change}")
    assert wait_ended(shop, snapshot_id, relay)[0].rows_sent == 10_000
    found = reads(shop, "item")
    assert [value["after"]["id"] for value in found] == list(range(1, 10_001))
    assert set(found[-1]["after"]) == rows

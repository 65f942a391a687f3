"""Initial snapshots, end to end: nothing is missing between them and the stream, and a crash in the middle
costs a few rows.  Markers and bytes are the conformance suite's."""

from harness.change_events import change_events, folded
from harness.waiting import wait_until
from test_change_events import capture, connector, publish_tables, topic

MODES = {"snapshot.mode": "initial"}


def prepare(shop, tables, connector=MODES, partitions=1, **changes):
    """As test_change_events.capture(), but not started, and without a slot."""
    from test_change_events import PREFIX
    from test_change_events import connector as base
    shop.kafka.create(*(topic(shop, t) for t in tables), partitions=partitions)
    listed = ",".join(f"public.{t}" for t in tables)
    shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE {', '.join(tables)}")
    return shop.relay(connector={**base(), "topic.prefix": f"{shop.name}-{PREFIX}", "table.include.list": listed, **connector},
                      outbox=None, inbox=None, postgres={"publication": shop.name}, **changes)


def items(shop, rows=0):
    """The table item, of nothing but a key, with the rows 1 to `rows`."""
    publish_tables(shop, "item (id int PRIMARY KEY)")
    shop.query("INSERT INTO item SELECT generate_series(1, %s)", rows)


def found(shop, table):
    return change_events(shop.kafka, topic(shop, table))


def values(shop, table):
    """(op, marker, after or before) of every event of a table, in the topic's order."""
    return [(value["op"], value["source"]["snapshot"], value["after"] or value["before"]) for _, value in found(shop, table) if value]


def ops(shop, table="item"):
    """(op, id) of every event of a table, in the topic's order."""
    return [(op, row["id"]) for op, _, row in values(shop, table)]


def reads(shop, column="id"):
    """That column of every row of item that a snapshot has sent, in the topic's order."""
    return [row[column] for op, _, row in values(shop, "item") if op == "r"]


def now(shop, table):
    """The rows of a table as a consumer has them, by key."""
    return folded(found(shop, table))


def streams(relay, since=0):
    """Wait until the relay has begun to stream more often than `since` times: the snapshot is behind it."""
    wait_until(lambda: len(relay.events("stream_started")) > since, lambda: f"it streams\n{relay.log_text()[-2000:]}", 60)
    return relay


def wait_rows(shop, relay, sql, expected, timeout_s=60):
    wait_until(lambda: shop.value(sql) == expected,
               lambda: f"{sql} is {expected}; it is {shop.value(sql)}\n{relay.log_text()[-2000:]}", timeout_s)


def wait_confirmed(shop):
    """Wait until Kafka has all that is written by now."""
    written = shop.value("SELECT pg_current_wal_insert_lsn()")
    wait_until(lambda: shop.value("SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", written, shop.slot),
               "the stream behind the snapshot", 60)


def kill_in_the_middle(shop, relay):
    """kill -9 once progress is saved and before all of item is sent; how many rows were saved, and how many sent."""
    sent = "SELECT coalesce(max(rows_sent), 0) FROM holdfast.snapshot_table"
    wait_until(lambda: shop.value(sent) > 0, "progress is saved", 60)
    relay.kill()
    assert shop.value(STATUS) == "RUNNING"
    saved = shop.value(sent)
    assert saved < shop.value("SELECT count(*) FROM item")
    return saved, len(reads(shop))


def lose_slot(shop, relay):
    """The relay, which knows the slot, ends in good order; the slot goes, and a row is written that no slot has seen."""
    shop.wait_reported()
    assert relay.terminate()[0] == 0
    shop.cluster.drop_slot(shop.slot)
    shop.query("INSERT INTO item VALUES (2)")


STATUS = "SELECT status FROM holdfast.snapshot_run ORDER BY snapshot_id DESC LIMIT 1"


def test_rows_that_are_there_come_first_and_changes_behind_them(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, name text)", "part (id int PRIMARY KEY)", "nothing (id int PRIMARY KEY)")
    shop.query("INSERT INTO item SELECT g, 'item ' || g FROM generate_series(1, 500) g")
    shop.query("INSERT INTO part VALUES (1)")
    relay = prepare(shop, ["item", "part", "nothing"], {**MODES, "snapshot.max.threads": 2, "snapshot.fetch.size": 100})
    relay.start("--create-slot").wait_ready()
    shop.query("UPDATE item SET name = 'changed' WHERE id = 7")
    wait_until(lambda: shop.kafka.count(topic(shop, "item")) >= 501, "all events of item", 30)
    assert ops(shop) == [("r", n) for n in range(1, 501)] + [("u", 7)]
    assert [op for op, _, _ in values(shop, "part")] == ["r"]
    markers = [marker for t in ("item", "part") for _, marker, _ in values(shop, t)]
    assert markers.count("first") == 1 and markers.count("last") == 1
    progress = shop.query("SELECT table_name, status, rows_sent FROM holdfast.snapshot_table ORDER BY ordinal")
    assert [tuple(row) for row in progress] == [("item", "COMPLETED", 500), ("nothing", "COMPLETED", 0), ("part", "COMPLETED", 1)]
    assert shop.value(STATUS) == "COMPLETED"
    assert relay.terminate()[0] == 0
    relay.start().wait_ready()
    shop.query("INSERT INTO part VALUES (2)")
    wait_until(lambda: shop.kafka.count(topic(shop, "part")) >= 2, "the event behind the restart", 30)
    assert shop.kafka.count(topic(shop, "item")) == 501, "the snapshot is not taken again"


def test_writers_beside_a_snapshot_miss_nothing_and_repeat_nothing_with_the_slots_own(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, version int NOT NULL DEFAULT 0)")
    shop.query("INSERT INTO item (id) SELECT g FROM generate_series(1, 20000) g")
    relay = prepare(shop, ["item"], {**MODES, "snapshot.fetch.size": 50}, capture={"max_in_flight_bytes": 65536})
    relay.start("--create-slot")
    wait_until(lambda: shop.kafka.count(topic(shop, "item")) > 0, "the snapshot is under way", 30)
    with shop.connect("postgres") as connection:
        for n in range(300):
            connection.execute("UPDATE item SET version = version + 1 WHERE id = %s", [n * 61 % 20000 + 1])
            connection.execute("DELETE FROM item WHERE id = %s", [n * 37 + 5])
            connection.execute("INSERT INTO item VALUES (%s)", [20001 + n])
    shop.query("INSERT INTO item VALUES (99999)")
    wait_until(lambda: 99999 in now(shop, "item"), "the last change", 60)
    there = {row.id: {"id": row.id, "version": row.version} for row in shop.query("SELECT id, version FROM item")}
    assert now(shop, "item") == there
    assert sorted(reads(shop)) == list(range(1, 20001))
    versions = {}
    for op, _, row in values(shop, "item"):
        if op != "d":
            assert row["version"] >= versions.get(row["id"], 0), "a consumer sees no value go back"
            versions[row["id"]] = row["version"]


ITEMS = 150_000  # so many, in small chunks, that a kill comes in time: after the first second's progress is saved


def interrupted(shop, mode="initial", more=(), connector=None):
    """A relay that was killed in the middle of its snapshot of `item`; how many rows were saved, and how many sent.
    The order of `code` is that of the key reversed."""
    publish_tables(shop, "item (id int PRIMARY KEY, code int NOT NULL, pad text)")
    shop.query("INSERT INTO item SELECT g, %s + 1 - g, repeat('x', 50) FROM generate_series(1, %s) g", ITEMS, ITEMS)
    relay = prepare(shop, ["item", *more], {**MODES, "snapshot.mode": mode, "snapshot.fetch.size": 100, **(connector or {})},
                    capture={"max_in_flight_bytes": 65536})
    relay.start(*([] if mode == "initial_only" else ["--create-slot"]))
    saved, sent = kill_in_the_middle(shop, relay)
    assert 0 < saved <= sent < ITEMS, "what was saved was in Kafka"
    return relay, saved, sent


def test_killed_in_the_middle_it_goes_on_where_kafka_had_it(shop):
    relay, saved, sent = interrupted(shop)
    shop.query("UPDATE item SET pad = 'late' WHERE id IN (1, %s)", ITEMS)
    relay.start()
    wait_rows(shop, relay, STATUS, "COMPLETED")
    wait_confirmed(shop)
    ids = reads(shop)
    assert set(ids) == set(range(1, ITEMS + 1))
    assert shop.query("SELECT key_columns FROM holdfast.snapshot_table")[0].key_columns == ["id integer"]
    assert ids[sent:] == list(range(saved + 1, ITEMS + 1)), "it goes on behind what was saved"
    rows = now(shop, "item")
    assert rows[1]["pad"] == rows[ITEMS]["pad"] == "late"


def test_a_key_that_is_exchanged_while_the_relay_is_down_loses_no_row(shop):
    """The new key has as many columns of the same types, and its order is the old one's reversed: behind the
    position that was saved, read as one of the new key, are all rows but those that are still to be sent."""
    relay, _, sent = interrupted(shop)
    gone, new = ITEMS // 2, ITEMS * 2
    shop.query("ALTER TABLE item DROP CONSTRAINT item_pkey, ADD PRIMARY KEY (code)")
    shop.query("UPDATE item SET pad = 'late' WHERE code IN (1, %s)", ITEMS)
    shop.query("DELETE FROM item WHERE code = %s", gone)
    shop.query("INSERT INTO item VALUES (%s, %s, 'new')", new, new)
    relay.start()
    wait_rows(shop, relay, STATUS, "COMPLETED")
    wait_confirmed(shop)
    events = found(shop, "item")
    assert (events[-1][1]["op"], events[-1][0]) == ("c", {"code": new})
    read = [value["after"] for _, value in events if value and value["op"] == "r"]
    assert [row["id"] for row in read[:sent]] == list(range(1, sent + 1)), "in the order of the old key"
    assert [row["code"] for row in read[sent:]] == [n for n in range(1, ITEMS + 1) if n != gone] + [new], "all of it, in the order of the new one"
    assert shop.query("SELECT key_columns FROM holdfast.snapshot_table")[0].key_columns == ["code integer"]
    rows = folded([(key, value) for key, value in events if "code" in key])
    assert rows == {row.code: row._asdict() for row in shop.query("SELECT id, code, pad FROM item")}


def test_a_key_whose_order_changes_is_read_from_its_beginning(shop):
    relay, _, _ = interrupted(shop)
    shop.query("ALTER TABLE item ALTER id TYPE text")
    relay.start()
    wait_rows(shop, relay, STATUS, "COMPLETED")
    assert set(reads(shop)) >= {str(n) for n in range(1, ITEMS + 1)}


def test_a_table_that_is_renamed_before_its_turn_is_read_under_its_new_name(shop):
    relay, _, _ = interrupted(shop)
    shop.kafka.create(topic(shop, "article"))
    relay.write_config(connector={"table.include.list": "public.item,public.article"})
    shop.query("ALTER TABLE item RENAME TO article")
    shop.query("UPDATE article SET pad = 'late' WHERE id = 1")
    relay.start()
    wait_rows(shop, relay, STATUS, "COMPLETED")
    wait_confirmed(shop)
    rows = now(shop, "article")
    assert rows.keys() == set(range(1, ITEMS + 1))
    assert rows[1]["pad"] == "late"
    tables = shop.query("SELECT table_name, status, rows_sent FROM holdfast.snapshot_table ORDER BY ordinal")
    assert [(t.table_name, t.status) for t in tables] == [("item", "STOPPED"), ("article", "COMPLETED")]
    assert tables[1].rows_sent == ITEMS
    (left,), (added,) = relay.events("snapshot_table_gone"), relay.events("snapshot_table_added")
    assert " table=public.item " in left and added.endswith(" table=public.article")


def test_a_table_that_is_gone_for_a_while_is_read_from_its_beginning(shop):
    """Under another name its changes are nobody's, those of rows that were sent among them."""
    publish_tables(shop, "part (id int PRIMARY KEY, pad text)")
    shop.query("INSERT INTO part SELECT g, repeat('x', 50) FROM generate_series(1, %s) g", 3 * ITEMS)
    relay, _, _ = interrupted(shop, more=["part"], connector={"snapshot.max.threads": 1})
    shop.query("ALTER TABLE item RENAME TO hidden")
    shop.query("UPDATE hidden SET pad = 'late' WHERE id = 1")
    relay.start()
    wait_until(lambda: shop.value("SELECT rows_sent FROM holdfast.snapshot_table WHERE table_name = 'part'") > 0, "the next table is read", 60)
    relay.kill()
    assert shop.value("SELECT status FROM holdfast.snapshot_table WHERE table_name = 'part'") == "RUNNING"
    shop.query("ALTER TABLE hidden RENAME TO item")
    relay.start()
    wait_rows(shop, relay, STATUS, "COMPLETED")
    wait_confirmed(shop)
    rows = now(shop, "item")
    assert rows.keys() == set(range(1, ITEMS + 1))
    assert rows[1]["pad"] == "late"
    assert shop.kafka.count(topic(shop, "part")) >= 3 * ITEMS
    assert {t.status for t in shop.query("SELECT status FROM holdfast.snapshot_table")} == {"COMPLETED"}


def test_a_slot_that_is_made_anew_has_the_whole_snapshot(shop):
    relay, _, _ = interrupted(shop)
    shop.cluster.drop_slot(shop.slot)
    shop.query("UPDATE item SET pad = 'late' WHERE id = 1")
    assert relay.command("init").returncode == 0
    streams(relay.start())
    assert now(shop, "item")[1]["pad"] == "late"
    assert [row.status for row in shop.query("SELECT status FROM holdfast.snapshot_run ORDER BY snapshot_id")] == ["STOPPED", "COMPLETED"]


def test_a_row_that_goes_behind_the_position_is_read_when_nothing_is_streamed(shop):
    relay, _, _ = interrupted(shop, "initial_only")
    shop.query("UPDATE item SET id = -id WHERE id = %s", ITEMS)
    assert relay.start().exit_code() == 0
    assert set(reads(shop)) >= {-ITEMS, *range(1, ITEMS)}


def test_a_slot_that_init_made_gets_its_snapshot_from_run(shop):
    items(shop, 1)
    relay = capture(shop, ["item"], connector=MODES)
    wait_rows(shop, relay, STATUS, "COMPLETED")
    assert relay.metrics()['holdfast_relay_snapshot_rows_total{kind="initial"}'] == 1
    wait_until(lambda: relay.metrics()['holdfast_relay_snapshots{kind="initial",status="COMPLETED"}'] == 1, "it is counted", 30)
    shop.query("INSERT INTO item VALUES (2)")
    wait_until(lambda: ops(shop) == [("r", 1), ("c", 2)], "a row, and a change", 30)


def test_initial_only_ends_in_order_and_needs_no_slot(shop):
    items(shop, 2)
    relay = prepare(shop, ["item"], {"snapshot.mode": "initial_only"}).start()
    assert relay.exit_code() == 0
    assert [marker for _, marker, _ in values(shop, "item")] == ["first", "last"]
    assert shop.cluster.slot(shop.slot) is None
    assert relay.start().exit_code() == 0
    assert shop.kafka.count(topic(shop, "item")) == 2, "it is taken once"


def test_a_snapshot_from_before_the_slot_is_taken_again(shop):
    """What was changed between the two is in neither."""
    items(shop, 2)
    relay = prepare(shop, ["item"], {"snapshot.mode": "initial_only"}).start()
    assert relay.exit_code() == 0
    shop.query("INSERT INTO item VALUES (3)")
    assert relay.command("init").returncode == 0
    relay.write_config(connector=MODES)
    streams(relay.start())
    assert reads(shop) == [1, 2, 1, 2, 3]
    assert sorted(now(shop, "item")) == [1, 2, 3]


def test_always_takes_one_at_each_start(shop):
    items(shop, 1)
    relay = prepare(shop, ["item"], {"snapshot.mode": "always"})
    for start in (1, 2):
        streams(relay.start("--create-slot"), start - 1)
        assert shop.kafka.count(topic(shop, "item")) == start
        assert relay.terminate()[0] == 0


def test_a_lost_slot_is_made_up_for_only_when_needed(shop):
    items(shop, 1)
    relay = prepare(shop, ["item"]).start("--create-slot").wait_ready()
    lose_slot(shop, relay)
    relay.start("--create-slot")
    assert relay.exit_code() == 10, "initial does not guess"
    assert "holdfast.forget_slot" in relay.log_text()
    relay.write_config(connector={"snapshot.mode": "when_needed"})
    streams(relay.start(), 1)
    assert ops(shop) == [("r", 1), ("r", 1), ("r", 2)]


def test_a_crash_between_the_slot_and_its_snapshot_leaves_no_gap(shop):
    items(shop, 1)
    relay = streams(prepare(shop, ["item"], {"snapshot.mode": "when_needed"}).start("--create-slot"))
    lose_slot(shop, relay)
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute("SELECT pg_current_xact_id()")  # a slot is made when all that is under way has ended
        relay.start()
        wait_until(lambda: shop.value(STATUS) == "RUNNING", "the snapshot is announced before the slot is there", 30)
        wait_until(lambda: shop.cluster.slot(shop.slot) is not None, "the slot is being made", 30)
        relay.kill()
        connection.rollback()
    streams(relay.start(), 1)
    assert ops(shop) == [("r", 1), ("r", 1), ("r", 2)]
    assert shop.value(STATUS) == "COMPLETED"


def test_a_table_that_is_rewritten_behind_the_snapshot_is_not_taken_for_empty(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, n int)")
    shop.query("INSERT INTO item SELECT g, g FROM generate_series(1, 100) g")
    relay = prepare(shop, ["item"], {**MODES, "snapshot.delay.ms": 3000}).start("--create-slot")
    wait_until(lambda: shop.cluster.slot(shop.slot) is not None, "the slot and its snapshot are there", 30)
    shop.query("ALTER TABLE item ALTER n TYPE bigint")
    streams(relay)
    assert sorted(reads(shop)) == list(range(1, 101))


def test_a_slot_that_was_forgotten_begins_with_a_snapshot_again(shop):
    items(shop, 1)
    relay = prepare(shop, ["item"]).start("--create-slot").wait_ready()
    lose_slot(shop, relay)
    shop.query("SELECT holdfast.forget_slot(%s)", shop.slot)
    assert relay.command("init").returncode == 0
    streams(relay.start(), 1)
    assert ops(shop) == [("r", 1), ("r", 1), ("r", 2)]


def test_the_include_list_says_which_tables_have_a_snapshot(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)", "part (id int PRIMARY KEY)")
    shop.query("INSERT INTO item VALUES (1)")
    shop.query("INSERT INTO part VALUES (1)")
    relay = prepare(shop, ["item", "part"], {**MODES, "snapshot.include.collection.list": "public[.]part"})
    streams(relay.start("--create-slot"))
    assert (shop.kafka.count(topic(shop, "item")), shop.kafka.count(topic(shop, "part"))) == (0, 1)


def test_without_the_extension_it_says_what_to_do(shop):
    items(shop)
    relay = prepare(shop, ["item"])
    shop.query("DROP EXTENSION holdfast CASCADE")
    relay.start("--create-slot")
    assert relay.exit_code() == 78
    assert "CREATE EXTENSION holdfast" in relay.log_text()
    assert shop.cluster.slot(shop.slot) is None, "no slot is left behind that nobody reads"


def test_a_table_that_may_not_be_read_is_named(shop):
    shop.query("CREATE TABLE item (id int PRIMARY KEY)")
    relay = prepare(shop, ["item"]).start("--create-slot")
    assert relay.exit_code() == 18
    assert 'GRANT SELECT ON \\"public\\".\\"item\\"' in relay.log_text() or 'GRANT SELECT ON "public"."item"' in relay.log_text()
    shop.query("GRANT SELECT ON item TO shop_relay")
    shop.query("INSERT INTO item VALUES (1)")
    streams(relay.start())
    assert shop.kafka.count(topic(shop, "item")) >= 1


def test_rows_that_a_policy_hides_are_not_left_out_in_silence(shop):
    shop.query("CREATE TABLE item (id int PRIMARY KEY); GRANT SELECT ON item TO shop_relay")
    shop.query("INSERT INTO item VALUES (1), (2); ALTER TABLE item ENABLE ROW LEVEL SECURITY")
    relay = prepare(shop, ["item"])
    assert '"item": row-level security' in relay.command("check").stdout
    relay.start("--create-slot")
    assert relay.exit_code() == 18
    assert "BYPASSRLS" in relay.log_text()
    assert shop.kafka.count(topic(shop, "item")) == 0
    shop.query("ALTER TABLE item DISABLE ROW LEVEL SECURITY")
    assert "row-level security" not in relay.command("check").stdout
    streams(relay.start())
    assert [row["id"] for _, _, row in values(shop, "item")] == [1, 2]


def test_a_wrong_mode_is_refused_with_those_that_there_are(shop):
    relay = shop.relay(connector=connector(snapshot__mode="configuration_based"))
    checked = relay.command("check")
    assert checked.returncode == 78
    assert "when_needed" in checked.stdout

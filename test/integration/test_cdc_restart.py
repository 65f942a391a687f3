"""Change events over restarts, crashes and odd orders of commits, as Debezium's own tests have them
(docs/debezium-tests.md says which is which)."""

import json
import time

import psycopg
from harness.waiting import holds_for, wait_until
from test_change_events import PREFIX, capture, events, publish_tables, topic

PLACEHOLDER = "__debezium_unavailable_value"


def count(shop, table):
    return shop.kafka.count(topic(shop, table))


def wait_count(shop, table, wanted, relay, timeout_s=60):
    wait_until(lambda: count(shop, table) >= wanted,
               lambda: f"{wanted} events of {table}; {count(shop, table)}\n{relay.log_text()[-1500:]}", timeout_s)


def rows(shop, table):
    """(id, source) of every event with an `after`, as they stand in the topic."""
    found = []
    for record in shop.kafka.read(topic(shop, table)):
        value = record.value and json.loads(record.value)
        if value and value["after"]:
            found.append((value["after"]["id"], value["source"]))
    return found


def whole_and_contiguous(ids, wanted):
    """All of `wanted` is there; what is repeated begins again somewhere and leaves nothing out."""
    assert set(ids) == set(wanted)
    newest = -1
    position = {n: i for i, n in enumerate(wanted)}
    for before, n in zip([None, *ids], ids, strict=False):
        assert before is None or position[n] <= newest + 1, f"{n} comes before what precedes it"
        newest = max(newest, position[n])


def restart(relay):
    assert relay.terminate()[0] == 0
    return relay.start().wait_ready()


def kill_between(shop, table, relay, wanted):
    """kill -9 while some of `wanted` events are in Kafka, and the relay again."""
    wait_count(shop, table, 1, relay)
    relay.kill()
    before = count(shop, table)
    relay.start()
    wait_count(shop, table, wanted, relay)
    return before


def test_killed_in_the_middle_of_a_transaction_it_sends_it_whole(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, pad text)")
    relay = capture(shop, ["item"])
    shop.query("INSERT INTO item SELECT n, repeat('x', 500) FROM generate_series(1, 30000) AS n")
    before = kill_between(shop, "item", relay, 30_000)
    wait_until(lambda: {n for n, _ in rows(shop, "item")} == set(range(1, 30_001)), "all are there", 60)
    whole_and_contiguous([n for n, _ in rows(shop, "item")], list(range(1, 30_001)))
    print(f"killed after {before} of 30000")


def test_restarted_in_the_middle_of_an_uncommitted_transaction(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute("INSERT INTO item SELECT generate_series(1, 100)")
        with shop.connect("postgres") as other:
            other.execute("INSERT INTO item VALUES (1000)")
        wait_count(shop, "item", 1, relay)
        restart(relay)
        connection.execute("INSERT INTO item SELECT generate_series(101, 200)")
        connection.commit()
    wait_count(shop, "item", 201, relay)
    assert [n for n, _ in rows(shop, "item")] == [1000, *range(1, 201)]


def test_rows_that_share_one_lsn_are_neither_lost_nor_mixed_up(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    with shop.connect("postgres") as connection, connection.cursor().copy("COPY item FROM STDIN") as copy:
        for n in range(1, 20_001):
            copy.write_row((n,))
    kill_between(shop, "item", relay, 20_000)
    wait_until(lambda: len({n for n, _ in rows(shop, "item")}) == 20_000, "all are there", 60)
    found = rows(shop, "item")
    assert len({source["lsn"] for _, source in found}) < 20_000, "COPY puts many rows at one LSN"
    whole_and_contiguous([n for n, _ in found], list(range(1, 20_001)))


def test_what_was_written_before_the_start_comes_from_the_slot(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    relay.terminate()
    shop.query("INSERT INTO item SELECT generate_series(1, 10)")
    holds_for(lambda: count(shop, "item") == 0, 0.5, "nobody reads the slot")
    relay.start()
    wait_count(shop, "item", 10, relay)
    assert [n for n, _ in rows(shop, "item")] == list(range(1, 11))


def test_a_table_that_changed_while_the_relay_was_down(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, a text)")
    relay = capture(shop, ["item"])
    shop.query("INSERT INTO item VALUES (1, 'x')")
    wait_count(shop, "item", 1, relay)
    relay.terminate()
    shop.query("INSERT INTO item VALUES (2, 'y')")
    shop.query("ALTER TABLE item ADD COLUMN b int NOT NULL DEFAULT 5")
    shop.query("INSERT INTO item VALUES (3, 'z', 6)")
    shop.query("ALTER TABLE item DROP COLUMN a")
    shop.query("INSERT INTO item VALUES (4, 7)")
    relay.start()
    wait_count(shop, "item", 4, relay)
    assert [value["after"] for _, value in events(shop, "item", 4)] == [
        {"id": 1, "a": "x"}, {"id": 2, "a": "y"}, {"id": 3, "a": "z", "b": 6}, {"id": 4, "b": 7}]


def test_transactions_that_interleave_over_a_restart(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    with shop.connect("postgres", autocommit=False) as first, shop.connect("postgres", autocommit=False) as second:
        first.execute("INSERT INTO item VALUES (1)")
        second.execute("INSERT INTO item VALUES (10)")
        first.execute("INSERT INTO item VALUES (2)")
        second.commit()
        wait_count(shop, "item", 1, relay)
        restart(relay)
        second.execute("INSERT INTO item VALUES (11)")
        first.execute("INSERT INTO item VALUES (3)")
        second.commit()
        wait_count(shop, "item", 2, relay)
        relay.kill()
        relay.start()
        first.commit()
    wait_until(lambda: {n for n, _ in rows(shop, "item")} == {1, 2, 3, 10, 11}, "all are there")
    once = list(dict.fromkeys(n for n, _ in rows(shop, "item")))
    assert once == [10, 11, 1, 2, 3], "in the order of their commits"


def test_the_slot_is_confirmed_all_the_time(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    seen = set()
    for n in range(8):
        shop.query("INSERT INTO item VALUES (%s)", n)
        written = shop.value("SELECT pg_current_wal_lsn()")
        wait_until(lambda written=written: shop.value(
            "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", written, shop.slot),
            lambda: f"the slot has passed it\n{relay.log_text()[-1000:]}", 10)
        seen.add(shop.cluster.slot(shop.slot).confirmed_flush_lsn)
    assert len(seen) == 8


def test_what_is_confirmed_does_not_come_again_and_what_is_not_does(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    shop.query("INSERT INTO item SELECT generate_series(1, 50)")
    wait_count(shop, "item", 50, relay)
    restart(relay)
    holds_for(lambda: count(shop, "item") == 50, 1, "nothing comes again")
    relay.terminate()
    relay.write_config(capture={"status_interval_ms": 60_000})
    relay.start().wait_ready()
    # Inserted and killed as soon as Kafka has it: whether the slot knows is a matter of milliseconds.
    for n in range(51, 61):
        shop.query("INSERT INTO item VALUES (%s)", n)
        wait_until(lambda n=n: n in {i for i, _ in rows(shop, "item")}, f"{n} is there")
        relay.kill()
        relay.start()
    ids = [n for n, _ in rows(shop, "item")]
    whole_and_contiguous(ids, list(range(1, 61)))


def test_a_postgresql_that_is_shut_down_fast_is_waited_for(own_cluster, make_shop):
    shop = make_shop(cluster=own_cluster, partitions=1)
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    shop.query("INSERT INTO item VALUES (1)")
    wait_count(shop, "item", 1, relay)
    began = time.monotonic()
    own_cluster.stop("fast")
    assert time.monotonic() - began < 30, "a walsender that is not answered would hold it up"
    wait_until(lambda: relay.metrics().get("holdfast_relay_postgres_connected") == 0, "the relay knows")
    assert relay.running()
    own_cluster.start()
    shop.query("INSERT INTO item VALUES (2)")
    wait_count(shop, "item", 2, relay)
    assert [n for n, _ in rows(shop, "item")] == [1, 2]


def test_a_change_of_the_primary_key_is_a_delete_and_a_create(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, name text)")
    capture(shop, ["item"])
    shop.query("INSERT INTO item VALUES (1, 'a')")
    shop.query("UPDATE item SET id = 2")
    events(shop, "item", 4)
    records = shop.kafka.read(topic(shop, "item"))
    assert [(json.loads(r.key), r.value and json.loads(r.value)["op"]) for r in records] == [
        ({"id": 1}, "c"), ({"id": 1}, "d"), ({"id": 1}, None), ({"id": 2}, "c")]
    assert json.loads(records[1].headers["__debezium.newkey"]) == {"id": 2}
    assert json.loads(records[3].headers["__debezium.oldkey"]) == {"id": 1}


def test_a_truncate_is_an_event_when_it_is_asked_for(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)", "part (id int PRIMARY KEY)")
    capture(shop, ["item", "part"], connector={"skipped.operations": "none"})
    shop.query("INSERT INTO item VALUES (1)")
    shop.query("TRUNCATE item, part")
    for table, ops in (("item", ["c", "t"]), ("part", ["t"])):
        found = events(shop, table, len(ops))
        assert [value["op"] for _, value in found] == ops
        assert found[-1][0] is None and found[-1][1]["before"] is None and found[-1][1]["after"] is None


def test_a_truncate_is_no_event_by_default(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    shop.query("INSERT INTO item VALUES (1)")
    shop.query("TRUNCATE item")
    shop.query("INSERT INTO item VALUES (2)")
    wait_count(shop, "item", 2, relay)
    assert [value["op"] for _, value in events(shop, "item", 2)] == ["c", "c"]


def test_unchanged_toast_is_said_to_be_unavailable_or_taken_from_the_old_row(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, n int, big text, maybe text)")
    relay = capture(shop, ["item"])
    big = "".join(chr(33 + (i * 7919) % 90) for i in range(100_000))
    shop.query("ALTER TABLE item ALTER COLUMN big SET STORAGE EXTERNAL")
    shop.query("INSERT INTO item VALUES (1, 1, %s, NULL)", big)
    shop.query("UPDATE item SET n = 2")
    restart(relay)
    shop.query("UPDATE item SET n = 3")
    shop.query("UPDATE item SET big = NULL")
    shop.query("UPDATE item SET big = %s", big + "!")
    shop.query("ALTER TABLE item REPLICA IDENTITY FULL")
    shop.query("UPDATE item SET n = 4")
    shop.query("DELETE FROM item")
    found = [value for _, value in events(shop, "item", 8) if value]
    assert [value["after"] and value["after"]["big"] for value in found] == [
        big, PLACEHOLDER, PLACEHOLDER, None, big + "!", big + "!", None]
    assert found[5]["before"]["big"] == big + "!" and found[6]["before"]["big"] == big + "!"


def messages(shop):
    return [json.loads(r.value) for r in shop.kafka.read(f"{shop.name}-{PREFIX}.message")]


def contents(shop):
    import base64
    return [base64.b64decode(m["message"]["content"]).decode() for m in messages(shop)]


def message_shop(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    shop.kafka.create(f"{shop.name}-{PREFIX}.message")
    return capture(shop, ["item"])


def say(shop, text, transactional=False, connection=None):
    (connection or shop.connection("postgres")).execute("SELECT pg_logical_emit_message(%s, 'note', %s)", (transactional, text))


def wait_said(shop, relay, *wanted):
    wait_until(lambda: contents(shop) == list(wanted), lambda: f"{wanted}: {contents(shop)}\n{relay.log_text()[-1500:]}")


def test_a_message_outside_of_a_transaction_may_be_the_last_before_a_restart(shop):
    relay = message_shop(shop)
    shop.query("INSERT INTO item VALUES (1)")
    say(shop, "last")
    wait_said(shop, relay, "last")
    restart(relay)
    shop.query("INSERT INTO item VALUES (2)")
    wait_count(shop, "item", 2, relay)
    assert [n for n, _ in rows(shop, "item")] == [1, 2]
    holds_for(lambda: contents(shop) == ["last"], 0.5, "the message does not come again")


def test_messages_between_transactions_and_in_them(shop):
    relay = message_shop(shop)
    shop.query("INSERT INTO item VALUES (1)")
    say(shop, "between")
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute("INSERT INTO item VALUES (2)")
        say(shop, "inside", True, connection)
        say(shop, "at once", False, connection)
        wait_said(shop, relay, "between", "at once")
        restart(relay)
        connection.commit()
    wait_said(shop, relay, "between", "at once", "inside")
    shop.query("INSERT INTO item VALUES (3)")
    wait_count(shop, "item", 3, relay)
    assert [n for n, _ in rows(shop, "item")] == [1, 2, 3]


def test_a_message_of_a_transaction_that_is_rolled_back_is_not_sent(shop):
    relay = message_shop(shop)
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute("INSERT INTO item VALUES (1)")
        say(shop, "never", True, connection)
        say(shop, "anyway", False, connection)
        connection.rollback()
    say(shop, "after", True)
    wait_said(shop, relay, "anyway", "after")
    assert count(shop, "item") == 0


def test_heartbeats_come_although_only_other_tables_change(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    shop.query("CREATE TABLE noise (n int)")
    beats = f"__debezium-heartbeat.{shop.name}-{PREFIX}"
    shop.kafka.create(beats)
    relay = capture(shop, ["item"], connector={"heartbeat.interval.ms": 200})
    shop.query("INSERT INTO item VALUES (1)")
    wait_count(shop, "item", 1, relay)
    for _ in range(3):
        before = shop.kafka.count(beats)
        shop.query("INSERT INTO noise SELECT generate_series(1, 1000)")
        written = shop.value("SELECT pg_current_wal_lsn()")
        wait_until(lambda before=before: shop.kafka.count(beats) > before, "a heartbeat")
        wait_until(lambda written=written: shop.value(
            "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", written, shop.slot),
            "the slot has passed what nobody captures", 30)


def test_the_counters_of_a_transaction_are_the_same_after_a_restart_in_its_middle(shop):
    publish_tables(shop, "item (id int PRIMARY KEY, pad text)")
    transactions = f"{shop.name}-{PREFIX}.transaction"
    shop.kafka.create(transactions)
    relay = capture(shop, ["item"], connector={"provide.transaction.metadata": True})
    shop.query("INSERT INTO item SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n")
    kill_between(shop, "item", relay, 20_000)

    def ended():
        return [v for r in shop.kafka.read(transactions) if (v := json.loads(r.value))["status"] == "END"]
    wait_until(ended, "the transaction has ended", 60)
    assert {end["event_count"] for end in ended()} == {20_000}
    orders = {}
    for record in shop.kafka.read(topic(shop, "item")):
        value = json.loads(record.value)
        order = value["transaction"]["total_order"], value["transaction"]["data_collection_order"]
        assert orders.setdefault(value["after"]["id"], order) == order == (value["after"]["id"],) * 2
    assert len(orders) == 20_000


def test_a_slot_that_was_dropped_under_the_relay_is_not_made_again(shop):
    """--create-slot makes no slot for a relay that has had one: what was written between is in neither."""
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    shop.query("INSERT INTO item VALUES (1)")
    wait_count(shop, "item", 1, relay)
    shop.wait_reported()
    shop.cluster.drop_slot(shop.slot)
    assert relay.exit_code() == 10
    relay.start("--create-slot")
    assert relay.exit_code() == 10
    assert shop.cluster.slot(shop.slot) is None


def test_a_walsender_that_ends_is_replaced(shop):
    publish_tables(shop, "item (id int PRIMARY KEY)")
    relay = capture(shop, ["item"])
    for n in range(3):
        pid = wait_until(lambda: shop.cluster.slot(shop.slot).active_pid, "the slot is in use")
        shop.cluster.admin("SELECT pg_terminate_backend(%s)", pid)
        try:
            shop.query("INSERT INTO item VALUES (%s)", n)
        except psycopg.OperationalError:
            raise AssertionError("only the walsender was to end") from None
    wait_count(shop, "item", 3, relay)
    assert list(dict.fromkeys(n for n, _ in rows(shop, "item"))) == [0, 1, 2]

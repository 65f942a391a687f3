"""Tables as change events, end to end: what the relay alone decides.  What the messages look like byte for
byte is the conformance suite's (test/conformance)."""

import json
import re

from harness.waiting import wait_until

PREFIX = "app"


def connector(**properties):
    return {"topic.prefix": PREFIX, "snapshot.mode": "no_data", "key.converter.schemas.enable": False, "value.converter.schemas.enable": False,
            **{k.replace("__", "."): v for k, v in properties.items()}}


def capture(shop, tables, partitions=1, **changes):
    """A relay that captures `tables` ("customer") of schema public, started; nothing else is published."""
    shop.kafka.create(*(topic(shop, t) for t in tables), partitions=partitions)
    relay = shop.relay(connector={**connector(), "topic.prefix": f"{shop.name}-{PREFIX}",
                                  "table.include.list": ",".join(f"public.{t}" for t in tables),
                                  **changes.pop("connector", {})},
                       outbox=None, inbox=None, postgres={"publication": shop.name}, **changes)
    published = relay.command("init")
    assert published.returncode == 0, published.stderr
    return relay.start().wait_ready()


def topic(shop, table):
    return f"{shop.name}-{PREFIX}.public.{table}"


def events(shop, table, count):
    """Key and value of the first `count` records of a table's topic."""
    wait_until(lambda: shop.kafka.count(topic(shop, table)) >= count,
               lambda: f"{count} events of {table}; there are {shop.kafka.count(topic(shop, table))}", 30)
    return [(r.key and json.loads(r.key), r.value and json.loads(r.value)) for r in shop.kafka.read(topic(shop, table))]


def publish_tables(shop, *definitions):
    """Tables of the relay's own role: init publishes them."""
    for definition in definitions:
        shop.query(f"CREATE TABLE {definition}")
    shop.query(f"GRANT CREATE ON DATABASE {shop.name} TO shop_relay")
    for definition in definitions:
        shop.query(f"ALTER TABLE {definition.split()[0]} OWNER TO shop_relay")


def test_a_database_that_writes_its_dates_another_way_changes_no_event(shop):
    publish_tables(shop, "moment (id int PRIMARY KEY, d date, t timestamptz, i interval, f float8, b bytea)")
    for setting in ("datestyle = 'German, DMY'", "intervalstyle = 'iso_8601'", "extra_float_digits = -2", "bytea_output = 'escape'"):
        shop.query(f"ALTER DATABASE {shop.name} SET {setting}")
    insert = "INSERT INTO moment VALUES (%s, '2020-02-03', '2020-02-03 04:05:06.7+00', '1 mon 2 days', 0.1::float8 + 0.2, decode('00ff', 'hex'))"
    shop.connect("postgres").execute(insert, [1])
    capture(shop, ["moment"], connector={"snapshot.mode": "initial", "interval.handling.mode": "string"})
    wait_until(lambda: shop.kafka.count(topic(shop, "moment")) == 1, "the row that was there", 30)
    shop.connect("postgres").execute(insert, [2])
    (_, snapshot), (_, streamed) = events(shop, "moment", 2)
    for event in (snapshot, streamed):
        assert {k: v for k, v in event["after"].items() if k != "id"} == {
            "d": 18295, "t": "2020-02-03T04:05:06.700000Z", "i": "P0Y1M2DT0H0M0S", "f": 0.30000000000000004, "b": "AP8="}


def test_rows_become_events_and_an_outbox_beside_them_stays_an_outbox(shop):
    publish_tables(shop, "customer (id int PRIMARY KEY, name text)")
    shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE customer, holdfast.outbox "
               "WITH (publish_via_partition_root = true)")
    shop.kafka.create(topic(shop, "customer"))
    relay = shop.relay(connector={**connector(), "topic.prefix": f"{shop.name}-{PREFIX}",
                                  "table.include.list": "public.customer"},
                       inbox=None, postgres={"publication": shop.name})
    made = relay.command("init")
    assert made.returncode == 0, made.stderr
    relay.start().wait_ready()
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute("INSERT INTO customer VALUES (1, 'Ann')")
        connection.execute("UPDATE customer SET name = 'Anna'")
        connection.execute("DELETE FROM customer")
    order_id, _, _ = shop.place(7, 1, 2)
    found = events(shop, "customer", 4)
    assert [(key, value and (value["op"], value["before"], value["after"])) for key, value in found] == [
        ({"id": 1}, ("c", None, {"id": 1, "name": "Ann"})),
        ({"id": 1}, ("u", None, {"id": 1, "name": "Anna"})),
        ({"id": 1}, ("d", {"id": 1, "name": None}, None)),
        ({"id": 1}, None)]
    assert found[0][1]["source"]["db"] == shop.name
    wait_until(lambda: shop.kafka.count(shop.topic("order-created")) == 1, "the order's event came as before")
    assert [r.key for r in shop.records("order-created")] == [str(order_id)]


def test_a_table_that_changes_its_shape_goes_on_in_the_new_one(shop):
    publish_tables(shop, "customer (id int PRIMARY KEY, name text)")
    capture(shop, ["customer"])
    shop.query("INSERT INTO customer VALUES (1, 'Ann')")
    shop.query("ALTER TABLE customer ADD COLUMN age int NOT NULL DEFAULT 18")
    shop.query("INSERT INTO customer VALUES (2, 'Bob', 42)")
    events(shop, "customer", 2)  # while the key is still what it was: it is read from the catalogue
    shop.query("ALTER TABLE customer RENAME COLUMN name TO label")
    shop.query("ALTER TABLE customer DROP CONSTRAINT customer_pkey, ADD PRIMARY KEY (id, age)")
    shop.query("INSERT INTO customer VALUES (3, 'Cid', 7)")
    found = events(shop, "customer", 3)
    assert [(key, value["after"]) for key, value in found] == [
        ({"id": 1}, {"id": 1, "name": "Ann"}),
        ({"id": 2}, {"id": 2, "name": "Bob", "age": 42}),
        ({"id": 3, "age": 7}, {"id": 3, "label": "Cid", "age": 7})]


def test_a_killed_relay_goes_on_without_a_gap_and_knows_the_tables_again(shop):
    publish_tables(shop, "customer (id int PRIMARY KEY, name text)")
    relay = capture(shop, ["customer"])
    shop.query("INSERT INTO customer SELECT i, 'n' FROM generate_series(1, 500) i")
    events(shop, "customer", 1)
    relay.kill()
    shop.query("INSERT INTO customer SELECT i, 'n' FROM generate_series(501, 600) i")
    relay.start().wait_ready()
    wait_until(lambda: {k["id"] for k, _ in events(shop, "customer", 600)} == set(range(1, 601)), "every row is there")


def test_a_restarted_database_is_followed_again(shop):
    publish_tables(shop, "customer (id int PRIMARY KEY, name text)")
    capture(shop, ["customer"])
    shop.query("INSERT INTO customer VALUES (1, 'Ann')")
    events(shop, "customer", 1)
    shop.cluster.restart()
    shop.query("INSERT INTO customer VALUES (2, 'Bob')")
    assert [k["id"] for k, _ in events(shop, "customer", 2)] == [1, 2]


def test_heartbeats_come_while_nothing_happens_and_run_their_query(shop):
    publish_tables(shop, "beat (id int PRIMARY KEY, at timestamptz)")
    heartbeat = f"__debezium-heartbeat.{shop.name}-{PREFIX}"
    shop.kafka.create(heartbeat)
    shop.query("INSERT INTO beat VALUES (1, now())")
    capture(shop, ["beat"], connector={"heartbeat.interval.ms": 100,
                                       "heartbeat.action.query": "UPDATE public.beat SET at = clock_timestamp()"})
    wait_until(lambda: shop.kafka.count(heartbeat) >= 3, "three heartbeats")
    assert json.loads(shop.kafka.read(heartbeat)[0].key) == {"serverName": f"{shop.name}-{PREFIX}"}
    assert events(shop, "beat", 2)[0][1]["op"] == "u"


def test_a_wrong_property_is_refused_before_anything_runs(shop):
    relay = shop.relay(connector=connector(column__include__list="a.b.c", column__exclude__list="a.b.d", snapshot__mode="initial"))
    checked = relay.command("check")
    assert checked.returncode == 78, checked.stdout + checked.stderr
    wrong = [line for line in checked.stdout.splitlines() if line.startswith("FAIL") and "column.exclude.list" in line]
    assert len(wrong) == 1, checked.stdout


def test_check_names_the_topics_that_no_broker_would_make(shop):
    publish_tables(shop, "here (id int PRIMARY KEY)", "gone (id int PRIMARY KEY)", "other (id int PRIMARY KEY)")
    shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE here, gone, other")
    shop.kafka.create(topic(shop, "here"))
    prefix = f"{shop.name}-{PREFIX}"
    relay = shop.relay(outbox=None, inbox=None, postgres={"publication": shop.name}, connector={
        **connector(), "topic.prefix": prefix, "table.include.list": "public.here,public.gone",
        "heartbeat.interval.ms": 1000, "provide.transaction.metadata": True})
    said = relay.command("check").stdout
    missing = re.findall(r"^FAIL +topic (\S+) +does not exist$", said, re.M)
    assert sorted(missing) == sorted([topic(shop, "gone"), f"{prefix}.transaction", f"__debezium-heartbeat.{prefix}"]), said
    assert re.search(rf"^ok +topic {re.escape(topic(shop, 'here'))} ", said, re.M), said

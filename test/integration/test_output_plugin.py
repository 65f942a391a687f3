"""The two output plugins whose slots the relay reads: the extension's, which a new slot gets where it may, and pgoutput."""

import pytest
from harness import audit
from harness.postgres import bindir
from harness.processes import Process, as_server_user, give_to_server_user
from harness.waiting import wait_until
from psycopg import sql
from test_halts import CONFIG, PERMISSION_DENIED, halts
from test_initial_snapshot import items, ops, prepare, streams, wait_confirmed


def plugin_of(shop, slot=None):
    return shop.cluster.slot(slot or shop.slot).plugin


def refuse_plugin(shop):
    """For this shop alone: what is set for a role in a database wins over what is set for the role."""
    if shop.value("SELECT current_setting('output_plugin_libraries', true)") is None:
        pytest.skip("this minor release allows any plugin")
    shop.query(sql.SQL("ALTER ROLE shop_relay IN DATABASE {} SET output_plugin_libraries = pgoutput").format(sql.Identifier(shop.name)))


def test_a_new_slot_gets_the_extensions_plugin(shop):
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    assert audit.wait_delivered(shop).duplicates == 0
    assert plugin_of(shop) == "holdfast"
    assert "plugin=holdfast" in relay.events("stream_started")[-1]
    assert f"slot {shop.slot}: plugin holdfast, streaming" in relay.command("status").stdout


@pytest.mark.parametrize("plugin", ["pgoutput", "holdfast"])
def test_a_backlog_comes_whole_and_in_order(shop, plugin):
    relay = shop.run_relay(postgres={"plugin": plugin})
    assert plugin_of(shop) == plugin
    relay.terminate()
    for n in range(20):
        for m in range(100):
            shop.emit("order-events", str(m), {"n": n, "long": "x" * (m * n * 7)})
        shop.query("CREATE TEMPORARY TABLE IF NOT EXISTS none_of_ours AS SELECT generate_series(1, 5000)")
        shop.query("INSERT INTO none_of_ours SELECT generate_series(1, 5000)")
    relay.start().wait_ready()
    delivered = audit.wait_delivered(shop)
    assert (delivered.events, delivered.duplicates) == (2000, 0)


def allow_plugin(superuser):
    """For this connection, where the minor release has the setting."""
    superuser.execute("SELECT set_config('output_plugin_libraries', 'pgoutput, holdfast', false)"
                      " WHERE current_setting('output_plugin_libraries', true) IS NOT NULL")


def go_over(shop, plugin):
    """As docs/operations.md has it."""
    with shop.connect("postgres") as superuser:
        allow_plugin(superuser)
        copy = f"{shop.slot}_copy"
        superuser.execute("SELECT pg_copy_logical_replication_slot(%s, %s, false, %s)", [shop.slot, copy, plugin])
        superuser.execute("SELECT pg_drop_replication_slot(%s)", [shop.slot])
        superuser.execute("SELECT pg_copy_logical_replication_slot(%s, %s)", [copy, shop.slot])
        superuser.execute("SELECT pg_drop_replication_slot(%s)", [copy])
    assert plugin_of(shop) == plugin


@pytest.mark.parametrize("old, new", [("pgoutput", "holdfast"), ("holdfast", "pgoutput")])
def test_a_slot_that_is_copied_and_back_goes_on_with_the_other_plugin(shop, old, new):
    """Nothing is lost, and nothing comes twice."""
    relay = shop.run_relay(postgres={"plugin": old})
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    relay.terminate()
    shop.place(2, 1, 1)
    go_over(shop, new)
    shop.place(3, 1, 1)
    relay.write_config(postgres={"plugin": "auto"})
    relay.start().wait_ready()
    shop.place(4, 1, 1)
    assert audit.wait_delivered(shop).duplicates == 0
    assert f"plugin={new}" in relay.events("stream_started")[-1]


def test_its_snapshot_is_not_taken_again(shop):
    items(shop, 3)
    relay = prepare(shop, ["item"])
    relay.write_config(postgres={"plugin": "pgoutput"})
    relay.start("--create-slot")
    streams(relay)
    shop.query("INSERT INTO item VALUES (4)")
    wait_confirmed(shop)
    relay.terminate()
    shop.query("INSERT INTO item VALUES (5)")
    go_over(shop, "holdfast")
    relay.write_config(postgres={"plugin": "auto"})
    streams(relay.start(), 1)
    wait_until(lambda: len(ops(shop)) >= 5, "the last row")
    assert ops(shop) == [("r", 1), ("r", 2), ("r", 3), ("c", 4), ("c", 5)]


def test_a_slot_of_another_plugin_than_the_configured_is_not_read(shop):
    shop.run_relay(postgres={"plugin": "pgoutput"}).terminate()
    relay = shop.relay("other", postgres={"plugin": "holdfast"}).start()
    halts(relay, CONFIG, shop.slot, "pgoutput", "output plugin")


def test_where_the_plugin_is_refused_a_new_slot_gets_pgoutput(shop):
    refuse_plugin(shop)
    relay = shop.run_relay()
    assert plugin_of(shop) == "pgoutput"
    assert "output_plugin_libraries" in relay.events("output_plugin_refused")[0]
    shop.place(1, 1, 1)
    assert audit.wait_delivered(shop).duplicates == 0


def test_a_refused_plugin_that_is_named_is_not_replaced(shop):
    refuse_plugin(shop)
    relay = shop.relay(postgres={"plugin": "holdfast"}).start("--create-slot")
    halts(relay, PERMISSION_DENIED, "holdfast", "grant_relay")
    assert shop.cluster.slot(shop.slot) is None


def test_where_the_plugin_is_refused_its_slot_waits_for_a_person(shop):
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    relay.terminate()
    refuse_plugin(shop)
    shop.place(2, 1, 1)
    relay.start()
    halts(relay, PERMISSION_DENIED, "holdfast", "grant_relay")
    shop.query(sql.SQL("ALTER ROLE shop_relay IN DATABASE {} RESET output_plugin_libraries").format(sql.Identifier(shop.name)))
    relay.start().wait_ready()
    assert audit.wait_delivered(shop).duplicates == 0


def test_a_server_that_shuts_down_has_sent_what_gathers(shop):
    """Its walsenders end when the relay has confirmed all of the WAL, that of others included."""
    relay = shop.run_relay()
    shop.query("CREATE TABLE other (n int)")
    for n in range(200):
        shop.emit("order-events", str(n), {"n": n})
    shop.query("INSERT INTO other SELECT generate_series(1, 10000)")
    shop.cluster.restart("fast")
    wait_until(lambda: len(relay.events("stream_started")) > 1, "the relay streams again")
    assert audit.wait_delivered(shop).duplicates == 0


class Standby:
    """As far as its slot can tell: pg_receivewal, which confirms what it has written."""

    def __init__(self, cluster, directory):
        self._directory = directory / "standby"
        self._directory.mkdir()
        give_to_server_user(self._directory)
        self._command = [*as_server_user(), bindir() / "pg_receivewal", "-d", cluster.dsn("postgres"), "-S", "standby", "--synchronous",
                         "-D", self._directory]
        cluster.admin("SELECT pg_create_physical_replication_slot('standby', true)")
        self._process = None

    def start(self):
        self._process = Process(self._command, self._directory.with_suffix(".log"), cwd="/")

    def stop(self):
        self._process.kill()


def test_a_failover_slot_does_not_overtake_its_standby(own_cluster, make_shop, directory):
    """Nor keeps back what the standby has."""
    if own_cluster.admin("SHOW server_version_num")[0].server_version_num < "170000":
        pytest.skip("failover slots come with PostgreSQL 17")
    shop = make_shop(cluster=own_cluster).seed()
    standby = Standby(own_cluster, directory)
    standby.start()
    own_cluster.set(synchronized_standby_slots="standby")
    with shop.connect("postgres") as superuser:
        allow_plugin(superuser)
        superuser.execute("SELECT pg_create_logical_replication_slot(%s, 'holdfast', failover => true)", [shop.slot])
    relay = shop.relay().start().wait_ready()
    for n in range(500):
        shop.emit("order-events", str(n), {"n": n})
    assert audit.wait_delivered(shop).duplicates == 0
    standby.stop()
    shop.emit("order-events", "500", {"n": 500})
    wait_until(lambda: own_cluster.admin("SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name LIKE '%%holdfast%%'"
                                         " AND wait_event = 'WaitForStandbyConfirmation'"), "the walsender waits for the standby")
    assert len(shop.records("order-events")) == 500
    standby.start()
    assert audit.wait_delivered(shop).duplicates == 0
    assert "plugin=holdfast" in relay.events("stream_started")[-1]

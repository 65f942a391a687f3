"""What needs a person: the relay ends with the exit code of docs/operations.md, and says how to repair it."""

import json

import pytest
from harness import audit
from harness.kafka import Node
from harness.postgres import Cluster
from harness.waiting import holds_for, wait_until

CONFIG = 78
SLOT_MISSING, SLOT_LOST, PUBLICATION_MISSING, PUBLICATION_CHANGED, WRONG_CLUSTER = 10, 11, 12, 13, 14
OUTBOX_SHAPE_CHANGED, MESSAGE_TOO_LARGE, INBOX_OFFSET_GAP, PERMISSION_DENIED, TOPIC_MISSING = 15, 16, 17, 18, 19


def halts(relay, code, *words, timeout_s=30):
    """The relay ends by itself with `code`; its last words name the trouble."""
    assert relay.exit_code(timeout_s) == code, relay.log_text()[-3000:]
    last = relay.log_text()[-3000:]
    for word in words:
        assert word in last, f"{word!r} is not in:\n{last}"


def test_no_slot_and_no_flag_to_make_one(shop):
    relay = shop.relay().start()
    halts(relay, SLOT_MISSING, shop.slot, "--create-slot")
    assert shop.cluster.slot(shop.slot) is None


def test_slot_dropped_while_the_relay_was_down(shop):
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    relay.terminate()
    shop.cluster.drop_slot(shop.slot)
    relay.start()
    halts(relay, SLOT_MISSING, shop.slot)
    assert shop.cluster.slot(shop.slot) is None, "it must not make it again"


def test_slot_dropped_under_the_relay(shop):
    relay = shop.run_relay()
    shop.cluster.drop_slot(shop.slot)
    halts(relay, SLOT_MISSING, shop.slot)


def test_create_slot_after_a_loss_is_refused(shop):
    """--create-slot is for the first start: a shop that has been served before has lost events."""
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    shop.wait_reported()
    relay.terminate()
    shop.cluster.drop_slot(shop.slot)
    relay.start("--create-slot")
    halts(relay, SLOT_MISSING, shop.slot)


def make_again(shop):
    """What a person does about a slot that is in the way; what was committed meanwhile is in no slot."""
    shop.cluster.drop_slot(shop.slot)
    shop.emit("notes", "lost", {})
    shop.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", shop.slot)


def advance(shop):
    shop.emit("notes", "lost", {})
    shop.query("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", shop.slot)


@pytest.mark.parametrize("move", [make_again, advance])
def test_slot_moved_while_the_relay_was_stopped(shop, move):
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    relay.terminate()
    shop.kafka.create(shop.topic("notes"))
    move(shop)
    check = relay.command("check")
    assert check.returncode == SLOT_MISSING, check.stdout
    assert "left it at" in check.stdout
    stands_at = shop.cluster.slot(shop.slot).confirmed_flush_lsn
    relay.start()
    halts(relay, SLOT_MISSING, shop.slot, "left it at", "holdfast.forget_slot")
    assert shop.cluster.slot(shop.slot).confirmed_flush_lsn == stands_at, "it must be left as it was found"
    # The repair that it names.
    shop.query("SELECT * FROM holdfast.replay(key => 'lost')", user="shop_admin")
    shop.query("SELECT holdfast.forget_slot(%s)", shop.slot)
    relay.start().wait_ready()
    audit.wait_delivered(shop)
    shop.reconciled()


def test_slot_made_again_under_the_relay(shop):
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    relay.pause()
    make_again(shop)
    relay.resume()
    halts(relay, SLOT_MISSING, shop.slot, "left it at")


def test_slot_that_another_relay_has_read_meanwhile_is_taken_over(shop):
    """What a process knows of a slot holds only as long as no other has streamed from it."""
    first = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    second = shop.relay("second").start()
    first.pause()
    shop.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s", shop.slot)
    second.wait_ready()
    shop.place(2, 1, 1)
    audit.wait_delivered(shop)
    second.kill()
    first.resume()
    first.wait_ready()
    shop.place(3, 1, 1)
    audit.wait_delivered(shop)
    shop.reconciled()


def test_slot_that_lost_its_wal(own_cluster, make_shop):
    shop = make_shop(cluster=own_cluster)
    shop.product(1, 1_000, 100)
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    relay.kill()
    shop.place(1, 1, 1)
    own_cluster.set(max_slot_wal_keep_size="1MB", max_wal_size="32MB")

    def lost():
        own_cluster.admin("SELECT pg_logical_emit_message(false, 'noise', repeat('x', 8000000))")
        own_cluster.admin("SELECT pg_switch_wal()")
        own_cluster.admin("CHECKPOINT")
        return own_cluster.slot(shop.slot).wal_status == "lost"
    wait_until(lost, lambda: f"the slot is lost: {own_cluster.slot(shop.slot)}", 60)
    relay.start()
    halts(relay, SLOT_LOST, shop.slot, "max_slot_wal_keep_size")


def test_publication_dropped_while_down(shop):
    relay = shop.run_relay()
    relay.terminate()
    shop.query("ALTER EXTENSION holdfast DROP PUBLICATION holdfast" if publication_is_member(shop) else "SELECT 1")
    shop.query("DROP PUBLICATION holdfast")
    relay.start()
    halts(relay, PUBLICATION_MISSING, "holdfast")


def publication_is_member(shop):
    return shop.value("SELECT count(*) FROM pg_depend WHERE classid = 'pg_publication'::regclass AND deptype = 'e'") > 0


def test_publication_dropped_under_the_relay(shop):
    relay = shop.run_relay()
    shop.query("ALTER EXTENSION holdfast DROP PUBLICATION holdfast" if publication_is_member(shop) else "SELECT 1")
    shop.query("DROP PUBLICATION holdfast")
    shop.place(1, 1, 1)
    halts(relay, PUBLICATION_MISSING, "holdfast")
    confirmed = shop.cluster.slot(shop.slot)
    assert confirmed is not None


@pytest.mark.parametrize("change", [
    "ALTER PUBLICATION holdfast DROP TABLE holdfast.outbox",
    "ALTER PUBLICATION holdfast SET (publish = 'update')",
    "ALTER PUBLICATION holdfast SET (publish_via_partition_root = false)",
    "ALTER PUBLICATION holdfast SET TABLE holdfast.outbox WHERE (aggregatetype <> 'order-created')",
    "ALTER PUBLICATION holdfast SET TABLE holdfast.outbox (id, aggregatetype, aggregateid, type)",
], ids=["table dropped", "publish", "via root", "row filter", "column list"])
def test_publication_changed(shop, change):
    relay = shop.run_relay()
    relay.terminate()
    shop.query(change)
    relay.start()
    halts(relay, PUBLICATION_CHANGED, "holdfast")


def test_publication_changed_under_the_relay(shop):
    relay = shop.run_relay()
    shop.query("ALTER PUBLICATION holdfast DROP TABLE holdfast.outbox")
    halts(relay, PUBLICATION_CHANGED, "holdfast")


def test_another_cluster_than_configured(shop):
    real = shop.cluster.admin("SELECT system_identifier::text AS s FROM pg_control_system()")[0].s
    relay = shop.relay(postgres={"system_identifier": str(int(real) + 1)}).start("--create-slot")
    halts(relay, WRONG_CLUSTER, real)
    assert shop.cluster.slot(shop.slot) is None


def test_another_cluster_behind_the_same_address(workplace, own_cluster, make_shop):
    """A restored backup or a wrong server: LSNs of two histories cannot be compared."""
    shop = make_shop(cluster=own_cluster)
    shop.product(1, 1_000, 100)
    relay = shop.run_relay()
    shop.place(1, 1, 1)
    audit.wait_delivered(shop)
    other = Cluster(workplace / "pg_other").create().start()
    try:
        other.create_template("holdfast_template")
        other.create_database(shop.name, "holdfast_template")
        with other.connect(shop.name) as c:
            c.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (shop.slot,))
            # Ahead of the other, so that the position alone does not give it away.
            for _ in range(4):
                c.execute("SELECT pg_logical_emit_message(false, 'noise', repeat('x', 9000000))")
        other.stop()
        own_cluster.stop()
        other.answer_at(own_cluster)
        other.start()
        halts(relay, WRONG_CLUSTER)
    finally:
        other.remove()
        own_cluster.start()


def test_outbox_column_renamed(shop):
    relay = shop.run_relay()
    shop.query("ALTER TABLE holdfast.outbox RENAME COLUMN payload TO body")
    shop.query("INSERT INTO holdfast.outbox (id, aggregatetype, aggregateid, type, body)"
               " VALUES (holdfast.uuid_v7(), 'order-created', '1', 'OrderCreated', '{}')")
    halts(relay, OUTBOX_SHAPE_CHANGED, "payload")


def test_message_larger_than_the_topic_takes(shop):
    """Neither cut nor skipped: what was before it is delivered, the rest waits for the operator."""
    shop.kafka.create(shop.topic("small"), partitions=1, **{"max.message.bytes": "20000"})
    relay = shop.run_relay()
    before = shop.emit("small", "k", {"n": 1})
    large = shop.emit("small", "k", {"n": 2, "text": "x" * 50_000})
    after = shop.emit("small", "k", {"n": 3})
    halts(relay, MESSAGE_TOO_LARGE, shop.topic("small"), str(large))
    assert [r.id for r in shop.records("small")] == [str(before)]
    assert "xxxx" not in relay.log_text()
    # The repair that it names: let the topic take it.
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
    entry = ConfigEntry("max.message.bytes", "100000", incremental_operation=AlterConfigOpType.SET)
    for f in shop.kafka._admin.incremental_alter_configs(
            [ConfigResource(ResourceType.TOPIC, shop.topic("small"), incremental_configs=[entry])]).values():
        f.result()
    relay.start()
    audit.wait_delivered(shop)
    ids = [r.id for r in shop.records("small")]
    assert list(dict.fromkeys(ids)) == [str(before), str(large), str(after)]


def test_topic_that_is_not_there(shop):
    relay = shop.run_relay()
    event = shop.emit("nowhere", "k", {"n": 1})
    halts(relay, TOPIC_MISSING, shop.topic("nowhere"), timeout_s=60)  # a new topic takes its time to be known everywhere
    awaited = relay.events("topic_awaited")
    assert len(awaited) == 1 and shop.topic("nowhere") in awaited[0], "it says meanwhile what it waits for, once"
    shop.kafka.create(shop.topic("nowhere"))
    relay.start()
    audit.wait_delivered(shop)
    assert {r.id for r in shop.records("nowhere")} == {str(event)}


def test_inbox_records_deleted_before_they_were_read(make_shop):
    shop = make_shop(partitions=1).seed()
    relay = shop.run_relay()
    topic = shop.topic("order-failed")

    def tell(n):
        for i in range(n):
            shop.kafka.send(topic, str(10**9 + i), json.dumps({"eventId": f"e-{i}", "orderId": 10**9 + i, "failedStep": "X",
                                                               "reason": "R", "message": "m", "lines": []}).encode())
    tell(3)
    stored = "SELECT next_offset FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(stored, topic) == 3, "three are consumed")
    relay.terminate()
    tell(10)
    shop.kafka.delete_records(topic, 0, 8)
    relay.start()
    halts(relay, INBOX_OFFSET_GAP, topic)
    assert shop.value(stored, topic) == 3, "it must not jump"


def test_inbox_offset_beyond_the_end_of_the_topic(make_shop):
    """The topic was deleted and made again: its offsets mean something else now."""
    shop = make_shop(partitions=1).seed()
    relay = shop.run_relay()
    topic = shop.topic("order-failed")
    for i in range(3):
        shop.kafka.send(topic, "1000000001", b'{"eventId":"%d","orderId":1000000001,"reason":"R","failedStep":"X"}' % i)
    stored = "SELECT next_offset FROM holdfast.inbox_offset WHERE topic = %s"
    wait_until(lambda: shop.value(stored, topic) == 3, "three are consumed")
    relay.terminate()
    shop.kafka.delete(topic)
    wait_until(lambda: shop.kafka.partitions(topic) == 0, "the topic is gone")
    shop.kafka.create(topic)
    relay.start()
    halts(relay, INBOX_OFFSET_GAP, topic)


def test_role_that_may_not_stream(shop):
    relay = shop.relay(postgres={"dsn": shop.cluster.dsn(shop.name, "shop_app")}).start("--create-slot")
    halts(relay, PERMISSION_DENIED)


WITH_PASSWORDS = """listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    username="broker" password="broker" user_broker="broker" user_relay="right";
"""


def test_a_password_that_kafka_refuses(shop, workplace, monkeypatch):
    monkeypatch.setenv("KAFKA_PROPERTIES", WITH_PASSWORDS)
    node = Node(workplace / "kafka_with_passwords")
    login = {"bootstrap.servers": node.address, "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "relay"}
    try:
        relay = shop.relay(inbox=None, kafka={**login, "sasl.password": "wr0ng"})
        relay.command("init")
        checked = relay.command("check")
        assert checked.returncode == PERMISSION_DENIED and "Authentication failed" in checked.stdout
        halts(relay.start(), PERMISSION_DENIED, "Authentication failed", "credentials")
        assert "wr0ng" not in checked.stdout + checked.stderr + relay.log_text()
        relay.write_config(kafka={**login, "sasl.password": "right"})
        assert f"{node.address}, 1 brokers" in relay.command("check").stdout
    finally:
        node.wipe()


def test_unknown_key_names_the_nearest(shop):
    relay = shop.relay(postgres={"sloot": "x"}, capture={"record_offset": True}).start()
    halts(relay, CONFIG, "sloot", "slot", "record_offset", "record_offsets")


def test_a_halted_relay_stays_halted(shop):
    relay = shop.run_relay()
    relay.terminate()
    shop.cluster.drop_slot(shop.slot)
    for _ in range(2):
        relay.start()
        halts(relay, SLOT_MISSING)
    holds_for(lambda: not relay.running(), 0.1, "ended")

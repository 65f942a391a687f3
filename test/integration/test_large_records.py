"""Records that are larger than their topic takes: a claim check or a dead letter in their place, and never a
cut or a gap."""

import base64
import hashlib
import json

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from harness.waiting import holds_for, wait_until
from test_change_events import capture, publish_tables, topic
from test_halts import MESSAGE_TOO_LARGE, halts

LIMIT = 20_000


@pytest.fixture
def small(make_shop):
    """A shop with the topics `small`, which takes 20,000 bytes, and `small-dlq`, and a factory of relays."""
    shop = make_shop(partitions=1)
    shop.kafka.create(shop.topic("small"), partitions=1, **{"max.message.bytes": str(LIMIT)})
    shop.kafka.create(shop.topic("small-dlq"), partitions=1)
    return shop


def rules(shop, policy):
    return [{"topic": shop.topic("small"), "policy": policy}]


def batch_bytes(record):
    """What the record takes in Kafka, alone in a batch."""
    def varint(n):
        n <<= 1
        return 1 if n < 0x80 else 1 + varint(n >> 8)
    fields = [record.key.encode(), record.value, *(p for h in record.headers.items() for p in (h[0].encode(), h[1].encode()))]
    inside = 3 + 1 + sum(varint(len(f)) + len(f) for f in fields)
    return 61 + varint(inside) + inside


def fetch(shop, claim):
    return shop.query("SELECT * FROM holdfast.fetch_event(%s)", claim, user="shop_admin")


def test_a_claim_check_takes_the_place_of_a_large_event(small):
    shop = small
    relay = shop.run_relay(too_large=rules(shop, "claim-check"))
    before = shop.emit("small", "k", {"n": 1})
    large = shop.emit("small", "k", {"n": 2, "text": "ü" * 40_000})
    after = shop.emit("small", "k", {"n": 3})
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 3, lambda: f"three records\n{relay.log_text()[-2000:]}")
    records = shop.records("small")
    assert [r.id for r in records] == [str(before), str(large), str(after)]
    claim_check = records[1]
    assert claim_check.key == "k" and claim_check.headers["eventType"] == "Test"
    claim = json.loads(claim_check.value)["claimCheck"]
    assert claim["id"] == claim_check.headers["holdfast.claim-check"] and claim["topic"] == shop.topic("small")
    row = shop.query("SELECT payload::text AS payload FROM holdfast.outbox WHERE id = %s", large)[0]
    kept = fetch(shop, claim["id"])[0]
    assert (kept.topic, kept.key, kept.payload, kept.encoding) == (shop.topic("small"), "k", row.payload, "utf8")
    assert kept.headers == {name: value for name, value in claim_check.headers.items() if name != "holdfast.claim-check"}
    assert claim["sha256"] == kept.sha256 == hashlib.sha256(
        b"\0".join([shop.topic("small").encode(), b"k", row.payload.encode()])).hexdigest()
    assert claim["sizeBytes"] > 80_000
    metrics = relay.metrics()
    assert metrics["holdfast_relay_claim_checks_total"] == 1
    assert len(relay.events("claim_check_sent")) == 1 and "ü" not in relay.log_text()


def test_what_fits_to_the_byte_is_sent_and_one_more_is_not(small):
    """The size is the broker's own reckoning: it takes what the relay takes for the largest."""
    shop = small
    relay = shop.run_relay(too_large=rules(shop, "claim-check"))
    shop.emit("small", "k", {"text": ""})
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 1, "the first is there")
    # Two more lengths than in the short one have three bytes: the record's and the value's.
    room = LIMIT - batch_bytes(shop.records("small")[0])
    text = next(n for n in range(room, 0, -1) if _bytes_with(shop.records("small")[0], n) == LIMIT)
    fits = shop.emit("small", "k", {"text": "x" * text})
    large = shop.emit("small", "k", {"text": "x" * (text + 1)})
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 3, lambda: f"three records\n{relay.log_text()[-2000:]}")
    _, second, third = shop.records("small")
    assert second.id == str(fits) and batch_bytes(second) == LIMIT
    assert third.id == str(large) and "holdfast.claim-check" in third.headers
    assert relay.events("batch_too_large") == []


def _bytes_with(record, more):
    from dataclasses import replace
    return batch_bytes(replace(record, value=record.value + b"x" * more))


def test_a_dead_letter_keeps_the_whole_event_and_the_rest_goes_on(small):
    shop = small
    relay = shop.run_relay(too_large=rules(shop, "dead-letter"))
    before = shop.emit("small", "k", {"n": 1})
    large = shop.emit("small", "k", {"n": 2, "text": "x" * 50_000})
    after = shop.emit("small", "k", {"n": 3})
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 2, lambda: f"two records\n{relay.log_text()[-2000:]}")
    assert [r.id for r in shop.records("small")] == [str(before), str(after)]
    letter, = shop.query("SELECT * FROM holdfast.dead_letter")
    assert (letter.status, letter.consumer, letter.event_id, letter.key) == ("DEAD", "capture", str(large), "k")
    assert json.loads(letter.value)["text"] == "x" * 50_000
    wait_until(lambda: shop.kafka.count(shop.topic("small-dlq")) == 1, "it is published")
    published = json.loads(shop.records("small-dlq")[0].value)
    assert (published["deadLetterId"], published["value"], published["sqlstate"]) == (letter.id, None, "54000")
    assert "20000" in published["message"]
    assert relay.metrics()["holdfast_relay_large_dead_letters_total"] == 1
    assert len(relay.events("record_dead_lettered")) == 1
    # All of it is confirmed: nothing comes again.
    relay.terminate()
    relay.start().wait_ready()
    holds_for(lambda: shop.kafka.count(shop.topic("small")) == 2, 1, "nothing is repeated")
    assert shop.value("SELECT count(*) FROM holdfast.dead_letter") == 1


def test_a_large_logical_message_is_kept_although_it_is_in_no_table(small):
    shop = small
    relay = shop.run_relay(too_large=[{"topic": ".*[.]small", "policy": "claim-check"}])
    payload = json.dumps({"text": "y" * 60_000})
    shop.query("SELECT pg_logical_emit_message(false, 'outbox', %s)", json.dumps(
        {"id": "m-1", "aggregatetype": "small", "aggregateid": "k", "type": "T", "payload": payload}))
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 1, lambda: f"a record\n{relay.log_text()[-2000:]}")
    record, = shop.records("small")
    assert fetch(shop, record.headers["holdfast.claim-check"])[0].payload == payload


def test_bytes_that_are_no_text_come_back_as_they_were(small):
    shop = small
    shop.query("CREATE TABLE public.raw (id uuid, aggregatetype text, aggregateid text, type text, payload bytea)")
    shop.query("CREATE PUBLICATION raw FOR TABLE public.raw WITH (publish = 'insert', publish_via_partition_root = true)")
    relay = shop.run_relay(postgres={"publication": "raw"}, outbox={"table": "public.raw"}, too_large=rules(shop, "claim-check"))
    payload = bytes(range(256)) * 200
    shop.query("INSERT INTO public.raw VALUES (gen_random_uuid(), 'small', 'k', 'T', %s)", payload)
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 1, lambda: f"a record\n{relay.log_text()[-2000:]}")
    kept, = fetch(shop, shop.records("small")[0].headers["holdfast.claim-check"])
    assert kept.encoding == "base64" and base64.b64decode(kept.payload) == payload


def test_kill_in_the_middle_repeats_the_same_claim_checks(small):
    shop = small
    relay = shop.run_relay(too_large=rules(shop, "claim-check"), capture={"status_interval_ms": 60_000})
    sent = 12
    for n in range(sent):
        shop.emit("small", f"k{n % 3}", {"n": n, "text": str(n) * 30_000})
        if n % 4 == 3:
            wait_until(lambda n=n: shop.kafka.count(shop.topic("small")) > n - 2, lambda: relay.log_text()[-2000:])
            relay.kill()
            relay.start()
    want = {str(r.id) for r in shop.query("SELECT id FROM holdfast.outbox WHERE aggregatetype LIKE '%%small'")}
    wait_until(lambda: {r.id for r in shop.records("small")} == want, "all are there", 60)
    claims = {}
    for r in shop.records("small"):
        assert claims.setdefault(r.id, r.value) == r.value
        assert len(fetch(shop, r.headers["holdfast.claim-check"])) == 1
    assert shop.value("SELECT count(*) FROM holdfast.large_record") == sent


def test_it_waits_for_the_database_and_halts_when_it_may_not_keep(small):
    """The claim check must not be in Kafka before what it points to is there."""
    shop = small
    shop.query("REVOKE EXECUTE ON FUNCTION holdfast.keep_large_record FROM shop_relay")
    relay = shop.run_relay(too_large=rules(shop, "claim-check"))
    shop.emit("small", "k", {"text": "x" * 30_000})
    halts(relay, 18, "keep_large_record", "grant_relay")
    assert shop.kafka.count(shop.topic("small")) == 0
    shop.query("GRANT EXECUTE ON FUNCTION holdfast.keep_large_record TO shop_relay")
    with shop.connect("postgres", autocommit=False) as blocker:
        blocker.execute("LOCK TABLE holdfast.large_record")
        relay.start().wait_ready()
        other = shop.emit("order-created", "1", {"n": 1})
        holds_for(lambda: shop.kafka.count(shop.topic("small")) == 0 and relay.ready(), 2, "it waits, and is alive")
        assert shop.kafka.count(shop.topic("order-created")) == 0, "nothing overtakes it"
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 1, "the claim check is there")
    wait_until(lambda: [r.id for r in shop.records("order-created")] == [str(other)], "and what was behind it")


def test_without_a_rule_it_halts_before_it_is_sent_and_names_both_sizes(small):
    shop = small
    relay = shop.run_relay(too_large=[{"topic": "another", "policy": "dead-letter"}])
    before = shop.emit("small", "k", {"n": 1})
    large = shop.emit("small", "k", {"text": "x" * 30_000})
    halts(relay, MESSAGE_TOO_LARGE, str(large), "max.message.bytes", str(LIMIT))
    assert [r.id for r in shop.records("small")] == [str(before)]
    assert relay.metrics() == {}


def refuses(shop, size):
    """Whether the broker takes no record of so many bytes; one that it takes stays in the topic."""
    try:
        shop.kafka.send(shop.topic("small"), "probe", b"x" * size)
    except AssertionError:
        return True
    return False


def test_a_limit_that_is_lowered_while_the_relay_runs_is_noticed_when_a_broker_refuses(small):
    shop = small
    relay = shop.run_relay(too_large=rules(shop, "claim-check"))
    shop.emit("small", "k", {"n": 1})
    wait_until(lambda: shop.kafka.count(shop.topic("small")) == 1, "the first is there")
    entry = ConfigEntry("max.message.bytes", "5000", incremental_operation=AlterConfigOpType.SET)
    for f in shop.kafka._admin.incremental_alter_configs(
            [ConfigResource(ResourceType.TOPIC, shop.topic("small"), incremental_configs=[entry])]).values():
        f.result()
    wait_until(lambda: refuses(shop, 10_000), "the broker has taken the limit for the partition")
    large = shop.emit("small", "k", {"text": "x" * 10_000})
    wait_until(lambda: str(large) in [r.id for r in shop.records("small")], lambda: relay.log_text()[-2000:])
    assert "holdfast.claim-check" in shop.records("small")[-1].headers
    assert len(relay.events("batch_too_large")) == 1


def test_a_change_event_is_kept_as_it_would_have_been_sent(shop):
    """Not as the table says now: the row is gone by the time that anybody asks."""
    publish_tables(shop, "item (id int PRIMARY KEY, big text)")
    shop.kafka.create(topic(shop, "item"), partitions=1, **{"max.message.bytes": str(LIMIT)})
    capture(shop, ["item"], too_large=[{"topic": topic(shop, "item"), "policy": "claim-check"}])
    with shop.connect("postgres", autocommit=False) as connection:
        connection.execute("INSERT INTO item VALUES (1, repeat('x', 50000))")
        connection.execute("DELETE FROM item")
    wait_until(lambda: shop.kafka.count(topic(shop, "item")) == 3, "create, delete and tombstone")
    created, deleted, tombstone = shop.kafka.read(topic(shop, "item"))
    assert json.loads(created.key) == json.loads(deleted.key) == {"id": 1} and tombstone.value is None
    kept, = fetch(shop, created.headers["holdfast.claim-check"])
    event = json.loads(kept.payload)
    assert (event["op"], event["after"]) == ("c", {"id": 1, "big": "x" * 50_000})
    assert json.loads(deleted.value)["op"] == "d" and "holdfast.claim-check" not in deleted.headers

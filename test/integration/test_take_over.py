"""`import-debezium --take-over` of an outbox against a real Debezium: it stops somewhere, the relay goes on, and the
topic has every event once."""

import json
import os
import re
import uuid

import pytest

from harness.take_over import PASSWORD, SLOW, USER, TakeOver, closing
from harness.waiting import wait_until

ROUTER = {
    "table.include.list": "public.outbox",
    "transforms": "outbox",
    "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
    "transforms.outbox.table.fields.additional.placement": "type:header:eventType",
}


class Migration(TakeOver):
    """A database with an outbox of its own shape, a topic, a connector; later, a relay in its place."""

    def __init__(self, shop, directory, **properties):
        shop.query("CREATE TABLE public.outbox (id uuid PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text NOT NULL,"
                   " type text NOT NULL, payload jsonb NOT NULL)")
        shop.query(f"CREATE PUBLICATION {shop.name} FOR TABLE public.outbox WITH (publish = 'insert')")
        super().__init__(shop, directory, **{**ROUTER, **properties})
        shop.query(f"GRANT SELECT ON public.outbox TO {USER}")
        self.route = f"events_{shop.name}"
        self.topic = f"outbox.event.{self.route}"
        self.kafka.create(self.topic, partitions=1)
        self.expected = []

    # ---- the application
    def transaction(self, rows=1, copy=False):
        """Rows of one transaction, in statements of their own or by COPY, which puts many into one WAL record."""
        ids = [str(uuid.uuid4()) for _ in range(rows)]
        records = [(i, self.route, "one", "Made", json.dumps({"n": len(self.expected) + n})) for n, i in enumerate(ids)]
        with self.shop.connect("postgres", autocommit=False) as connection:
            if copy:
                with connection.cursor().copy("COPY public.outbox FROM STDIN") as stream:
                    for record in records:
                        stream.write_row(record)
            else:
                connection.cursor().executemany("INSERT INTO public.outbox VALUES (%s, %s, %s, %s, %s)", records)
        self.expected += ids

    # ---- the topic
    def ids(self):
        return [record.id for record in self.kafka.read(self.topic)]

    def wait_sent(self, count):
        self.wait_count(self.topic, count)


@pytest.fixture
def make_migration(make_shop, directory):
    yield from closing(Migration, make_shop, directory)


def test_between_transactions_and_refused_while_the_connector_runs(make_migration):
    migration = make_migration()
    migration.debezium.start()
    for rows in (1, 3, 1):
        migration.transaction(rows)
    migration.wait_sent(5)
    wait_until(lambda: migration.debezium.offsets_file.exists() and b"lsn_commit" in migration.debezium.offsets_file.read_bytes(),
               "an offset is stored")
    refused = migration.take_over()
    assert refused.returncode == 69 and "is being read by the server process" in refused.stderr, refused.stderr
    assert not migration.config_file.exists()

    migration.debezium.stop()
    migration.transaction(2)
    taken = migration.take_over()
    assert taken.returncode == 0, taken.stderr
    assert PASSWORD not in migration.config_file.read_text() + taken.stderr
    again = migration.take_over()
    assert again.returncode == 78 and "never overwritten" in again.stderr, "an existing file is left alone"

    migration.run_relay()
    migration.transaction(1)
    migration.wait_sent(8)
    assert migration.ids() == migration.expected

    # And back: the slot says where the relay has stopped.
    assert migration.relay.terminate()[0] == 0
    migration.transaction(1)
    migration.debezium.offsets_file.unlink()
    migration.debezium.start()
    migration.transaction(1)
    migration.wait_sent(10)
    assert migration.ids() == migration.expected


@pytest.mark.parametrize("copy", [False, True], ids=["insert", "copy"])
def test_in_the_middle_of_a_transaction(make_migration, copy):
    migration = make_migration(**SLOW)
    migration.debezium.start()
    migration.transaction(2)
    migration.transaction(60_000, copy=copy)
    migration.transaction(3)
    migration.wait_sent(700)
    migration.debezium.stop()
    sent = migration.kafka.count(migration.topic)
    assert 700 <= sent < 60_002, "it was stopped in the middle"
    taken = migration.take_over()
    assert taken.returncode == 0, taken.stderr
    events = int(re.search(r"txId=\d+ lsn=\S+ lsn_events_processed=(\d+)", migration.config_file.read_text()).group(1))
    assert events > 1 if copy else events == 1
    migration.transaction(1)
    migration.run_relay()
    migration.wait_sent(len(migration.expected))
    assert migration.ids() == migration.expected


def test_a_relay_that_is_killed_before_it_has_confirmed_resumes_there_again(make_migration):
    migration = make_migration(**SLOW)
    migration.debezium.start()
    migration.transaction(40_000, copy=True)
    migration.wait_sent(300)
    migration.debezium.stop()
    sent = migration.kafka.count(migration.topic)
    assert migration.take_over().returncode == 0
    for _ in range(3):
        migration.run_relay()
        wait_until(lambda: "event=stream_started" in migration.log.read_text(), "the relay streams")
        migration.relay.kill()
    migration.run_relay()
    migration.transaction(1)
    wait_until(lambda: migration.ids()[-1] == migration.expected[-1], "the last event is sent")
    ids = migration.ids()
    assert ids[:sent] == migration.expected[:sent], "what the connector had sent is not sent again"
    seen = set(ids)
    assert [i for i in migration.expected if i not in seen] == []
    assert not set(migration.expected[:sent]) & set(ids[sent:])


def test_after_kill_9_only_what_the_offset_does_not_know_is_repeated(make_migration):
    migration = make_migration(**SLOW)
    migration.debezium.start()
    migration.transaction(1)
    migration.transaction(60_000, copy=True)
    migration.wait_sent(400)
    migration.debezium.kill()
    sent = migration.kafka.count(migration.topic)
    assert sent < 60_001
    taken = migration.take_over()
    assert taken.returncode == 0, taken.stderr
    migration.run_relay()
    migration.transaction(1)
    wait_until(lambda: migration.ids()[-1] == migration.expected[-1], "the last event is sent")
    ids = migration.ids()
    # Debezium sent [0, sent); its stored offset knows of the first of them; the relay repeats the rest, in order.
    repeated = len(ids) - len(migration.expected)
    assert 0 <= repeated < sent
    assert ids == migration.expected[:sent] + migration.expected[sent - repeated:]


def test_from_the_offsets_topic(make_migration):
    migration = make_migration()
    migration.debezium.start()
    migration.transaction(3)
    migration.wait_sent(3)
    migration.debezium.stop()
    key, value = migration.debezium.offset()
    topic = f"offsets_{migration.name}"
    migration.kafka.create(topic, partitions=5, **{"cleanup.policy": "compact"})
    migration.kafka.send(topic, json.dumps(["other", {"server": "x"}]), b"{}")
    migration.kafka.send(topic, key, b'{"lsn":1}')
    migration.kafka.send(topic, key, value)
    taken = migration.take_over("--offsets-topic", topic)
    assert taken.returncode == 0, taken.stderr
    migration.transaction(2)
    migration.run_relay()
    migration.wait_sent(5)
    assert migration.ids() == migration.expected


def test_refusals_say_why(make_migration):
    migration = make_migration()
    migration.debezium.start()
    migration.transaction(1)
    migration.wait_sent(1)
    migration.debezium.stop()
    old = migration.debezium.copy_of_offsets("old.offsets")
    migration.debezium.start()
    for _ in range(3):
        migration.transaction(1)
    migration.wait_sent(4)
    migration.debezium.stop()
    stale = migration.take_over(offsets=old)
    assert stale.returncode == 78 and "whether what lies between was sent, neither tells" in stale.stderr, stale.stderr

    other = migration.take_over("--offsets", migration.debezium.offsets_file, "--connector", "someone")
    assert other.returncode == 78 and f'but of "{migration.name}"' in other.stderr.replace('\\"', '"'), other.stderr

    garbage = migration.directory / "garbage"
    garbage.write_bytes(os.urandom(64))
    assert "not an offset file" in migration.take_over(offsets=garbage).stderr

    migration.cluster.drop_slot(migration.name)
    gone = migration.take_over()
    assert gone.returncode == 10 and "does not exist" in gone.stderr, gone.stderr
    assert not migration.config_file.exists()

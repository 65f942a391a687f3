"""A consumer that no one here wrote reads our change events: Debezium's JDBC sink connector applies them
to a second database, and after mixed inserts, updates, deletes and changes of primary keys the tables are
equal.

HOLDFAST_FOREIGN_CHANGES   how many statements (100,000)
HOLDFAST_FOREIGN_SOURCE    who reads the slot: "relay", or "debezium", whose own events show that the
                           consumer and the comparison are sound
"""

import os

import pytest
from harness.connect import STRING_CONVERTER, Connect
from harness.relay import Relay
from harness.waiting import wait_until

CHANGES = int(os.environ.get("HOLDFAST_FOREIGN_CHANGES", "100000"))
SOURCE = os.environ.get("HOLDFAST_FOREIGN_SOURCE", "relay")
PREFIX, USER, PASSWORD = "foreign", "foreign_user", "foreign"

# Both databases have them.  `papers` has values that are stored out of line and stay unchanged in many
# updates: with identity FULL its events carry them, as the sink knows no placeholder.
TABLES = """
CREATE TABLE people (
    id bigserial PRIMARY KEY, name varchar(80) NOT NULL, nick text, age int, height real, weight double precision,
    balance numeric(12,2), score numeric, active bool NOT NULL, born date, wakes time, noted timestamp, paid timestamp(3),
    created timestamptz NOT NULL, token uuid, settings jsonb, letter char(3), photo bytea);
CREATE TABLE lines (
    product text, line smallint, number int, quantity smallint NOT NULL, price numeric(10,4) NOT NULL, discount numeric(4,2),
    shipped bool, due timestamptz(0), code uuid NOT NULL, words text,
    PRIMARY KEY (number, product));
CREATE TABLE papers (id uuid PRIMARY KEY, title text, body text NOT NULL, version int NOT NULL, tags jsonb, raw bytea);
ALTER TABLE papers REPLICA IDENTITY FULL;
CREATE TABLE marker (id int PRIMARY KEY);
"""
NAMES = ("people", "lines", "papers")

# Keys are picked in a range of a fifth of the changes, so that most of them are used, freed and used again.
CHURN = """
CREATE FUNCTION words(n int) RETURNS text VOLATILE LANGUAGE sql AS $$
    SELECT string_agg((ARRAY['é"quoted"', 'back\\slash', 'tab\there', E'line\\nbreak', '漢字', '😀', 'plain', 'comma,', '<tag>', ''])
                      [1 + floor(random() * 10)::int], ' ') FROM generate_series(1, n)
$$;
CREATE FUNCTION maybe(value anyelement) RETURNS anyelement VOLATILE LANGUAGE sql AS $$
    SELECT CASE WHEN random() < 0.15 THEN NULL ELSE value END
$$;
CREATE PROCEDURE churn(changes int) LANGUAGE plpgsql AS $$
DECLARE
    range int := greatest(changes / 15, 10);
    k int; other int; dice float8; kind int;
BEGIN
    PERFORM setseed(0.5);
    FOR n IN 1 .. changes LOOP
        k := 1 + floor(random() * range)::int;
        other := 1 + floor(random() * range)::int;
        dice := random();
        kind := floor(random() * 5)::int;
        IF kind < 2 THEN
            IF dice < 0.5 THEN
                INSERT INTO people SELECT k, 'name ' || n, maybe(words(3)), maybe((random() * 2e9)::int - 1000000000),
                    maybe((random() * 3)::real), maybe(random() * 1e12), maybe((random() * 1e8)::numeric(12,2) - 5e7),
                    maybe((random() * 1e6)::numeric), random() < 0.5, maybe(date '1700-01-01' + (random() * 200000)::int),
                    maybe((random() * interval '86399 s')::time), maybe(timestamp '1900-01-01' + random() * interval '90000 days'),
                    maybe((timestamp '1960-01-01' + random() * interval '40000 days')::timestamp(3)),
                    timestamptz '1950-06-01 UTC' + random() * interval '40000 days', maybe(gen_random_uuid()),
                    maybe(jsonb_build_object('n', n, 'text', words(2), 'list', jsonb_build_array(1.5, null, true))),
                    maybe(chr(97 + n % 26)::char(3)), maybe(decode(md5(n::text), 'hex')) ON CONFLICT DO NOTHING;
            ELSIF dice < 0.8 THEN
                UPDATE people SET nick = maybe(words(2)), balance = maybe(balance + 1.05), age = maybe(n), paid = NULL,
                    settings = maybe(jsonb_build_object('v', n)) WHERE id = k;
            ELSIF dice < 0.9 THEN
                DELETE FROM people WHERE id = k;
            ELSE
                UPDATE people SET id = other WHERE id = k AND NOT EXISTS (SELECT FROM people WHERE id = other);
            END IF;
        ELSIF kind < 4 THEN
            IF dice < 0.5 THEN
                INSERT INTO lines SELECT (ARRAY['a', 'é"', 'b c'])[1 + k % 3], n % 100, k, n % 1000, (random() * 1e5)::numeric(10,4),
                    maybe((random() * 99)::numeric(4,2)), maybe(random() < 0.5), maybe(now() + random() * interval '1 day'),
                    gen_random_uuid(), maybe(words(5)) ON CONFLICT DO NOTHING;
            ELSIF dice < 0.8 THEN
                UPDATE lines SET quantity = n % 1000, discount = maybe(1.25), words = maybe(words(4)) WHERE number = k;
            ELSIF dice < 0.9 THEN
                DELETE FROM lines WHERE number = k;
            ELSE
                UPDATE lines SET product = product || '+' || n, line = line + 1 WHERE number = k;
            END IF;
        ELSE
            k := k % (1 + range / 20);
            IF dice < 0.4 THEN
                INSERT INTO papers SELECT md5(k::text)::uuid, maybe(words(2)),
                    (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 90)), 1, maybe('["x"]'::jsonb),
                    maybe(decode(repeat(md5(n::text), 4), 'hex')) ON CONFLICT DO NOTHING;
            ELSIF dice < 0.85 THEN
                UPDATE papers SET version = version + 1, title = maybe(words(2)) WHERE id = md5(k::text)::uuid;
            ELSIF dice < 0.95 THEN
                DELETE FROM papers WHERE id = md5(k::text)::uuid;
            ELSE
                UPDATE papers SET id = gen_random_uuid() WHERE id = md5(k::text)::uuid;
            END IF;
        END IF;
        IF n % 20 = 0 THEN
            IF dice < 0.05 THEN ROLLBACK; ELSE COMMIT; END IF;
        END IF;
    END LOOP;
    INSERT INTO marker VALUES (1);
END $$;
"""


class Databases:
    """`foreign_source`, whose changes are read, and `foreign_target`, which the sink writes."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.source = cluster.connect("foreign_source")
        self.target = cluster.connect("foreign_target")
        for connection in (self.source, self.target):
            connection.execute(TABLES)
        self.source.execute(CHURN)
        self.source.execute("CREATE EXTENSION holdfast")  # the relay asks for it
        self.source.execute("CREATE PUBLICATION foreign_tables FOR TABLE people, lines, papers, marker")
        self.source.execute("SELECT pg_create_logical_replication_slot('foreign', 'pgoutput')")

    def rows(self, side, table):
        return {row.text for row in getattr(self, side).execute(f"SELECT t::text AS text FROM {table} AS t")}

    def differences(self):
        """Of tables that differ: {table: how many rows are in the one and in the other alone, and the first of them}."""
        found = {}
        for table in NAMES:
            source, target = self.rows("source", table), self.rows("target", table)
            if source != target:
                found[table] = (len(source - target), len(target - source), sorted(source - target)[:2], sorted(target - source)[:2])
        return found

    def close(self):
        self.source.close()
        self.target.close()


@pytest.fixture
def databases(cluster):
    names = ("foreign_source", "foreign_target")
    cluster.admin(f"CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    for name in names:
        cluster.create_database(name)
    databases = Databases(cluster)
    yield databases
    databases.close()
    cluster.drop_slot("foreign")
    for name in names:
        cluster.drop_database(name)
    cluster.admin(f"DROP ROLE {USER}")


def topics():
    return [f"{PREFIX}.public.{table}" for table in NAMES]


def relay_source(databases, kafka, directory):
    return Relay(directory, {
        "postgres": {"dsn": f"host=127.0.0.1 port={databases.cluster.port} dbname=foreign_source user={USER} password={PASSWORD}",
                     "slot": "foreign", "publication": "foreign_tables"},
        "kafka": {"bootstrap.servers": kafka.address},
        "connector": {"topic.prefix": PREFIX, "snapshot.mode": "no_data", "key.converter.schemas.enable": True, "value.converter.schemas.enable": True}}, "source")


def debezium_source(databases, kafka, directory):
    return Connect("debezium.sh", directory / "source", kafka.address, {"source": {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "database.hostname": "127.0.0.1",
        "database.port": str(databases.cluster.port), "database.user": USER, "database.password": PASSWORD,
        "database.dbname": "foreign_source", "topic.prefix": PREFIX, "plugin.name": "pgoutput", "slot.name": "foreign",
        "publication.name": "foreign_tables", "publication.autocreate.mode": "disabled", "snapshot.mode": "no_data",
        "poll.interval.ms": "20", "max.batch.size": "8192", "max.queue.size": "32768"}},
        worker={"offset.flush.interval.ms": "1000"}, env={"DEBEZIUM_JAVA_OPTS": "-Xmx512m"})


def jdbc_sink(databases, kafka, directory):
    """It finds every table as it is to be, so a type that it took for another one fails."""
    return Connect("jdbc_sink.sh", directory / "sink", kafka.address, {"sink": {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "tasks.max": "3", "topics": ",".join(topics()),
        "connection.url": f"jdbc:postgresql://127.0.0.1:{databases.cluster.port}/foreign_target?stringtype=unspecified",
        "connection.username": USER, "connection.password": PASSWORD,
        "insert.mode": "upsert", "delete.enabled": "true", "primary.key.mode": "record_key", "schema.evolution": "none",
        "use.reduction.buffer": "true", "batch.size": "2000", "consumer.override.max.poll.records": "2000",
        "consumer.override.auto.offset.reset": "earliest",
        # As text: SimpleHeaderConverter makes __debezium.oldkey a map without a schema, which the sink refuses.
        "header.converter": STRING_CONVERTER, "transforms": "table", "transforms.table.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.table.regex": r".*\.([^.]+)", "transforms.table.replacement": "$1"}},
        worker={"offset.flush.interval.ms": "500"})


def applied(kafka, consumer):
    """The sink has committed the ends of all topics as its offsets."""
    from confluent_kafka import TopicPartition
    ends = {(topic, p): end for topic in topics() for p, end in enumerate(kafka.end_offsets(topic, consumer))}
    committed = {(t.topic, t.partition): t.offset for t in consumer.committed([TopicPartition(*where) for where in ends], timeout=10)}
    return all(committed[where] >= end for where, end in ends.items() if end > 0)


def test_a_foreign_sink_makes_the_same_tables(cluster, kafka, databases, directory):
    kafka.create(*topics(), f"{PREFIX}.public.marker", partitions=3)
    source = {"relay": relay_source, "debezium": debezium_source}[SOURCE](databases, kafka, directory)
    sink = jdbc_sink(databases, kafka, directory)
    ends, offsets = kafka.consumer(), kafka.consumer(**{"group.id": "connect-sink"})
    try:
        source.start()
        sink.start()
        databases.source.execute("CALL churn(%s)", (CHANGES,))

        def alive():
            sink.require_alive()
            if SOURCE == "debezium":
                source.require_alive()
            elif not source.running():
                raise AssertionError(f"the relay ended with {source.exit_code()}:\n{source.log_text()[-3000:]}")
            return True
        wait_until(lambda: alive() and sum(kafka.end_offsets(f"{PREFIX}.public.marker", ends)) > 0, "the source has read everything", 300)
        source.terminate()
        written = sum(sum(kafka.end_offsets(topic, ends)) for topic in topics())
        assert written > CHANGES / 2, "the statements changed rows"
        wait_until(lambda: sink.require_alive() and applied(kafka, offsets), "the sink has applied everything", 300)
        assert databases.differences() == {}
        counts = {table: len(databases.rows("target", table)) for table in NAMES}
        assert all(counts.values()), f"each table has rows: {counts}"
    finally:
        ends.close()
        offsets.close()
        source.kill()
        sink.kill()
        kafka.delete(*topics(), f"{PREFIX}.public.marker")

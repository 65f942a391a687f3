"""Publication drift: what the configuration captures and the publication no longer sends is noticed while the
relay runs, and by `check`; what it says to run repairs it."""

import re

import pytest
from harness.waiting import holds_for, wait_until

LOOK_S = 25  # the relay looks every 10 seconds


@pytest.fixture
def watched(make_shop):
    """A shop whose relay captures the tables of schema `app`: `item` is published."""
    shop = make_shop(partitions=1)
    shop.query("CREATE SCHEMA app; CREATE TABLE app.item (id int PRIMARY KEY, name text, price int)")
    shop.query("CREATE PUBLICATION watched FOR TABLE holdfast.outbox, app.item WITH (publish_via_partition_root = true)")
    shop.captures = {"postgres": {"publication": "watched"}, "inbox": [],
                     "connector": {"topic.prefix": shop.name, "snapshot.mode": "no_data", "table.include.list": "app[.].*"}}
    return shop


def drifts(relay, event="publication_drift"):
    """{subject: kind} of the log lines, in their order."""
    return {m["subject"].strip('"'): m["kind"] for line in relay.events(event)
            if (m := re.search(r'kind=(?P<kind>\w+) subject=(?P<subject>"[^"]*"|\S+)', line))}


def gauge(relay):
    return relay.metrics().get("holdfast_relay_publication_drift")


def test_a_table_that_is_made_again_and_a_new_one_are_noticed_and_repaired(watched):
    shop = watched
    relay = shop.run_relay(**shop.captures)
    wait_until(lambda: gauge(relay) == 0, "nothing is wrong")
    shop.query("DROP TABLE app.item; CREATE TABLE app.item (id int PRIMARY KEY, name text, price int)")
    shop.query("CREATE TABLE app.extra (id int PRIMARY KEY)")
    wait_until(lambda: gauge(relay) == 2, lambda: f"both are noticed: {relay.log_text()[-2000:]}", LOOK_S)
    assert drifts(relay) == {"app.extra": "table_not_published", "app.item": "table_recreated"}
    holds_for(relay.ready, 0.5, "the relay goes on")
    for line in relay.events("publication_drift"):
        statement = re.search(r'repair="(ALTER PUBLICATION .*?);', line)[1].replace('\\"', '"')
        shop.query(statement)
    wait_until(lambda: gauge(relay) == 0, "both are repaired", LOOK_S)
    assert drifts(relay, "publication_drift_ended") == {"app.extra": "table_not_published", "app.item": "table_recreated"}
    assert len(relay.events("publication_drift")) == 2, "each is told once"


def test_check_names_all_of_it(watched):
    shop = watched
    relay = shop.run_relay(**shop.captures)
    relay.terminate()
    said = relay.command("check").stdout
    assert re.search(r"^ok +drift +configuration, publication and catalogue fit$", said, re.M), said
    shop.query("""
        CREATE TABLE app.fresh (id int PRIMARY KEY);
        CREATE TABLE app.bare (id int);
        ALTER PUBLICATION watched SET TABLE holdfast.outbox, app.item (id, name) WHERE (id > 5), app.bare;
        ALTER PUBLICATION watched SET (publish = 'insert, delete')""")
    relay.write_config(connector={"table.include.list": "app[.].*,gone[.]nothing"})
    said = relay.command("check").stdout
    for subject, problem in (("app.fresh", "it is captured, and not published"),
                             ("app.bare", "the server refuses UPDATE and DELETE"),
                             ("app.item", "a row filter"), ("app.item", "leaves out price"),
                             ("gone[.]nothing", "no table of the database fits it"),
                             ("watched", "it does not publish update")):
        assert re.search(rf"^WARN +drift +{re.escape(subject)}: .*{re.escape(problem)}.*$", said, re.M), f"{subject}: {said}"
    assert said.count("drift ") == 6
    shop.query("DROP PUBLICATION watched")
    said = relay.command("check").stdout
    assert "there is no publication watched" in said and "holdfast-relay init" in said, said
    assert "drift " not in said, "nothing fits, or fails to, what is not there"


def test_the_outbox_alone_is_not_watched(make_shop):
    shop = make_shop(partitions=1)
    shop.query("CREATE TABLE public.unrelated (id int)")
    relay = shop.run_relay()
    assert gauge(relay) == 0
    assert "drift" not in relay.command("check").stdout

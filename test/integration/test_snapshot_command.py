"""holdfast-relay snapshot: asks, steers and lists through SQL, and status shows; no relay has to run for that."""

import json

import pytest


@pytest.fixture
def asked(shop):
    """A relay that never runs, and tables that its slot's snapshots are asked of."""
    relay = shop.relay()
    assert relay.command("init").returncode == 0
    shop.query("CREATE TABLE public.stamps (id bigint PRIMARY KEY, name text)")
    shop.query('CREATE TABLE public."Coins, old" (id bigint PRIMARY KEY)')
    shop.query("CREATE TABLE public.keyless (id bigint)")
    shop.query('CREATE PUBLICATION collections FOR TABLE public.stamps, public."Coins, old", public.keyless')
    shop.query("GRANT SELECT ON public.stamps TO shop_relay")
    return relay


def said(relay, *args):
    done = relay.command("snapshot", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(relay, *args):
    """(exit code, what the log line says)"""
    done = relay.command("snapshot", *args)
    assert done.returncode != 0 and done.stdout == ""
    return done.returncode, done.stderr


def states(shop):
    return [tuple(row) for row in shop.query("SELECT snapshot_id, status FROM holdfast.snapshot_run ORDER BY 1")]


def test_tables_are_asked_for_with_a_condition_and_listed(shop, asked):
    assert said(asked, "--list") == f'slot "{shop.slot}" has had no snapshot\n'
    assert said(asked, "--table", "public.stamps", "--table", 'public."Coins, old"') == (
        f'snapshot 1: requested of public.stamps, public."Coins, old", from the relay of slot "{shop.slot}"\n')
    said(asked, "--table", "PUBLIC.Stamps", "--where", "WHERE name <> 'penny black'")
    assert [tuple(row) for row in shop.query(
        "SELECT snapshot_id, slot, kind, status, data_collection, condition, requested_by FROM holdfast.snapshots")] == [
        (2, shop.slot, "incremental", "REQUESTED", "public.stamps", "name <> 'penny black'", "shop_relay"),
        (1, shop.slot, "incremental", "REQUESTED", "public.stamps", None, "shop_relay"),
        (1, shop.slot, "incremental", "REQUESTED", 'public."Coins, old"', None, "shop_relay")]
    shop.query("SELECT holdfast.snapshot_next(%s)", shop.slot)
    shop.query("SELECT holdfast.snapshot_progress(1, 1, '{1000}', 998, false)")
    shop.query("SELECT holdfast.snapshot_end(1, 'FAILED', 'a table is gone')")
    head, *lines = said(asked, "--list").splitlines()
    assert head.split() == ["ID", "KIND", "STATUS", "TABLE", "TABLE", "STATUS", "ROWS", "LAST", "KEY", "STARTED", "FINISHED"]
    assert [line.split()[:6] for line in lines if not line.startswith(" ")] == [
        ["2", "incremental", "REQUESTED", "public.stamps", "REQUESTED", "0"],
        ["1", "incremental", "FAILED", "public.stamps", "STOPPED", "998"],
        ["1", "incremental", "FAILED", 'public."Coins,', 'old"', "STOPPED"]]
    assert [line for line in lines if line.startswith(" ")] == [
        "  where name <> 'penny black'", "  error: a table is gone", "  error: a table is gone"]


def test_snapshots_are_paused_resumed_and_stopped_one_by_one_or_together(shop, asked):
    for _ in range(3):
        said(asked, "--table", "public.stamps")
    assert said(asked, "--pause", "2") == "1 snapshot paused\n"
    assert states(shop) == [(1, "REQUESTED"), (2, "PAUSED"), (3, "REQUESTED")]
    assert said(asked, "--pause") == "2 snapshots paused\n"
    assert said(asked, "--resume", "3") == "1 snapshot resumed\n"
    assert states(shop) == [(1, "PAUSED"), (2, "PAUSED"), (3, "REQUESTED")]
    assert said(asked, "--stop", "1") == "1 snapshot stopped\n"
    assert said(asked, "--resume") == "1 snapshot resumed\n"
    assert states(shop) == [(1, "STOPPED"), (2, "REQUESTED"), (3, "REQUESTED")]
    assert said(asked, "--stop") == "2 snapshots stopped\n"
    assert said(asked, "--stop") == "0 snapshots stopped\n"
    assert states(shop) == [(1, "STOPPED"), (2, "STOPPED"), (3, "STOPPED")]


def test_status_shows_snapshots_that_have_not_ended_or_have_failed(shop, asked):
    shop.query("INSERT INTO public.stamps SELECT n FROM generate_series(1, 4000) n")
    shop.query("ANALYZE public.stamps")

    def status(*args):
        done = asked.command("status", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lines():
        return [line for line in status().splitlines() if line.startswith("snapshot ") or "error" in line]

    assert lines() == [] and json.loads(status("--json"))["snapshots"] == []
    for tables in (["public.stamps"], ["public.stamps"], ['public."Coins, old"', "public.stamps"], ["public.stamps"]):
        said(asked, *(flag for table in tables for flag in ("--table", table)))
    shop.query("SELECT holdfast.snapshot_next(%s)", shop.slot)
    shop.query("SELECT holdfast.snapshot_progress(1, 1, '{1000}', 998, false)")
    shop.query("SELECT holdfast.snapshot_end(2, 'FAILED', 'a table is gone')")
    said(asked, "--pause", "3")
    said(asked, "--stop", "4")
    running, failed, reason, paused = lines()
    since = shop.value("SELECT date_trunc('second', started_at)::text FROM holdfast.snapshot_run WHERE snapshot_id = 1")
    assert running == f"snapshot 1: incremental, RUNNING, since {since}, 0 of 1 tables, 998 rows (about 24 %), reading public.stamps"
    assert failed.startswith("snapshot 2: incremental, FAILED, 0 of 1 tables, 0 rows") and reason == "  error: a table is gone"
    assert paused == "snapshot 3: incremental, PAUSED, 0 of 2 tables, 0 rows", "nobody has analyzed one of the tables"
    first, second, third = json.loads(status("--json"))["snapshots"]
    assert first == {"id": 1, "kind": "incremental", "status": "RUNNING", "startedAt": since, "tables": 1, "tablesCompleted": 0,
                     "rowsSent": 998, "rowsEstimated": 4000, "reading": ["public.stamps"], "lastError": ""}
    assert (second["status"], second["lastError"]) == ("FAILED", "a table is gone")
    assert (third["status"], third["startedAt"], third["rowsEstimated"]) == ("PAUSED", "", None)


def test_snapshots_of_other_slots_are_left_alone(shop, asked):
    shop.query("SELECT holdfast.relay_report('another', '1.0', 'host', 1, NULL, NULL, NULL)")
    shop.query("CALL holdfast.snapshot('public.stamps', slot => 'another')")
    said(asked, "--table", "public.stamps")
    assert said(asked, "--pause") == "1 snapshot paused\n"
    assert said(asked, "--stop") == "1 snapshot stopped\n"
    assert states(shop) == [(1, "REQUESTED"), (2, "STOPPED")]
    code, log = refused(asked, "--stop", "1")
    assert code == 64 and "is of slot" in log
    assert len(said(asked, "--list").splitlines()) == 2


def test_what_sql_refuses_is_an_exit_code_with_sql_s_hint(shop, asked):
    code, log = refused(asked, "--table", "public.keyless")
    assert code == 64 and "table public.keyless has no key to read it by" in log and "REPLICA IDENTITY USING INDEX" in log
    code, log = refused(asked, "--table", "holdfast.orders")
    assert code == 64 and "is not published" in log and "ALTER PUBLICATION" in log
    code, log = refused(asked, "--table", "public.stamps", "--where", "true) ; DROP TABLE public.stamps --")
    assert code == 64 and "the condition does not work for public.stamps" in log
    code, log = refused(asked, "--table", 'public."Coins, old"', "--where", "id > 5")
    assert code == 18 and "permission denied" in log and "SELECT" in log
    code, log = refused(asked, "--pause", "17")
    assert code == 64 and "snapshot 17 does not exist" in log
    assert states(shop) == []
    assert shop.value("SELECT count(*) FROM public.stamps") == 0


def test_without_the_extension_it_says_what_is_missing(shop, asked):
    shop.query("DROP EXTENSION holdfast CASCADE")
    for flags in (["--list"], ["--stop"], ["--table", "public.stamps"]):
        code, log = refused(asked, *flags)
        assert code == 78 and "CREATE EXTENSION holdfast" in log, flags

"""What an operator relies on: commands, health, metrics, logs without secrets, documents that are true."""

import json
import pathlib
import re
import signal
import subprocess

import pytest
from harness import audit
from harness.processes import ROOT, free_ports
from harness.relay import BINARY, Relay
from harness.shop import expire
from harness.waiting import wait_until

CANARY = "canary-5f2c-s3cret"


@pytest.fixture
def canary_role(cluster):
    cluster.admin(f"CREATE ROLE canary LOGIN REPLICATION PASSWORD '{CANARY}' IN ROLE shop_relay")
    return "canary"  # canary_shop drops it, after what it owns in its database


def with_password(shop, role, form):
    if form == "uri":
        return f"postgresql://{role}:{CANARY}@127.0.0.1:{shop.cluster.port}/{shop.name}"
    return f"host=127.0.0.1 port={shop.cluster.port} dbname={shop.name} user={role} password='{CANARY}'"


@pytest.fixture
def canary_shop(shop, canary_role):
    shop.query(f"SELECT holdfast.grant_relay('{canary_role}')")
    yield shop
    shop.query(f"DROP OWNED BY {canary_role}")
    for relay in shop._relays:
        relay.kill()
    shop.cluster.drop_slot(shop.slot)
    shop.query(f"DROP ROLE {canary_role}")


def test_secrets_appear_nowhere(canary_shop):
    """Neither in the log (of a run, of a refused login, of a reconnect), nor in metrics, health, the
    command line, or what other commands print."""
    shop = canary_shop
    said = []
    for form in ("uri", "keywords"):
        relay = shop.relay(form, postgres={"dsn": with_password(shop, "canary", form)}, log={"level": "debug"},
                           kafka={"sasl.password": CANARY, "ssl.key.password": CANARY})
        relay.start("--create-slot").wait_ready()
        shop.place(7, 1, 1)
        audit.wait_delivered(shop)
        pid = wait_until(lambda: shop.cluster.slot(shop.slot).active_pid, "streams")
        shop.cluster.admin("SELECT pg_terminate_backend(%s)", pid)
        wait_until(lambda pid=pid: shop.cluster.slot(shop.slot).active_pid not in (None, pid), "streams again")
        said.append(pathlib.Path(f"/proc/{relay.pid}/cmdline").read_bytes().decode())
        said += [relay.get(page)[1] for page in ("/metrics", "/health/live", "/health/ready")]
        for command in ("check", "status"):
            done = relay.command(command)
            said += [done.stdout, done.stderr]
        assert relay.terminate()[0] == 0
        # A login that fails must not print what was tried.
        relay.write_config(postgres={"dsn": with_password(shop, "canary", form).replace(CANARY, CANARY + "-wrong")})
        relay.start()
        assert relay.exit_code() == 18, relay.log_text()[-2000:]
        said.append(relay.log_text())
    leaks = [text for text in said if CANARY in text]
    assert not leaks, re.findall(f".*{CANARY}.*", leaks[0])
    assert "event=" in said[-1]


def test_row_content_never_reaches_the_log(shop):
    relay = shop.run_relay(log={"level": "debug"})
    shop.kafka.create(shop.topic("notes"))
    shop.emit("notes", "key-of-a-person", {"text": CANARY})
    audit.wait_delivered(shop)
    relay.terminate()
    assert CANARY not in relay.log_text()


def test_every_log_line_is_logfmt(shop):
    relay = shop.run_relay()
    shop.place(7, 1, 1)
    audit.wait_delivered(shop)
    relay.terminate()
    field = r'[a-z_][a-z0-9_.]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
    for line in relay.log_text().splitlines():
        assert re.fullmatch(rf"{field}(?: {field})*", line), line
        assert re.search(r"\blevel=(error|warn|info|debug)\b", line) and re.search(r"\bevent=\w+", line), line


def test_configuration_page_is_what_the_code_knows():
    listed = subprocess.run([BINARY, "check", "--list-keys"], check=True, capture_output=True, text=True).stdout
    page = (ROOT / "docs/configuration.md").read_text()
    between = re.search(r"<!-- keys[^>]*-->\n(.*?)<!-- /keys[^>]*-->", page, re.S)
    assert between, "docs/configuration.md has no keys markers"
    assert between[1].strip() == listed.strip()


def test_exit_codes_of_the_documentation_are_those_of_the_unit_file():
    codes = {int(c) for c in re.findall(r"^\| (\d+) \|", (ROOT / "docs/operations.md").read_text(), re.M)}
    unit = (ROOT / "packaging/systemd/holdfast-relay.service").read_text()
    prevented = {int(c) for c in re.search(r"^RestartPreventExitStatus=(.*)$", unit, re.M)[1].split()}
    assert prevented == codes - {0, 70}


def test_health_tells_the_truth_about_the_database(shop):
    relay = shop.run_relay()
    shop.cluster.stop("fast")
    try:
        wait_until(lambda: not relay.ready(), "not ready without a database", 15)
        reasons = [r["code"] for r in json.loads(relay.get("/health/ready")[1])["reasons"]]
        assert "postgres_disconnected" in reasons
        assert relay.live()
        assert relay.metrics()["holdfast_relay_postgres_connected"] == 0
    finally:
        shop.cluster.start()
    relay.wait_ready()
    shop.place(7, 1, 1)
    audit.wait_delivered(shop)


def test_metrics_count_what_happened(shop):
    relay = shop.run_relay()
    shop.payment_service()
    orders = [shop.place(7, 3, 1)[0] for _ in range(10)]
    for order_id in orders:
        shop.wait_status(order_id, "COMPLETED")
    delivery = audit.wait_delivered(shop)
    seen = wait_until(lambda: (m := relay.metrics()).get("holdfast_relay_events_total") == delivery.records and m,
                      lambda: f"{delivery.records} events are counted:\n{relay.get('/metrics')[1]}", 10)
    names = [n for n in seen if "inbox" in n and "applied" in n]
    assert names and sum(seen[n] for n in names if "{" in n) >= len(orders)
    documented = set(re.findall(r"`(holdfast_[a-z_]+)`", (ROOT / "docs/metrics.md").read_text()))
    published = {re.sub(r"_(bucket|sum|count)$", "", n) for n in seen if "{" not in n}
    unknown = {n for n in published if n.startswith("holdfast_") and n not in documented
               and n.removesuffix("_total") not in documented}
    assert not unknown, f"not in docs/metrics.md: {unknown}"


def test_relay_status_is_kept_for_psql(shop):
    shop.run_relay()
    shop.place(7, 1, 1)
    audit.wait_delivered(shop)
    state = wait_until(lambda: shop.query("SELECT * FROM holdfast.relay_state WHERE slot = %s AND confirmed_lsn IS NOT NULL",
                                          shop.slot), "the relay reports", 30)[0]
    assert state.pid and state.relay_version
    assert len(shop.query("SELECT * FROM holdfast.relay_status")) >= 1
    assert len(shop.query("SELECT * FROM holdfast.outbox_status")) >= 1


def test_sighup_reloads_the_log_level(shop):
    relay = shop.run_relay(log={"level": "error"})
    shop.place(7, 1, 1)
    audit.wait_delivered(shop)
    quiet = len(relay.log_text())
    relay.write_config(log={"level": "debug"})
    relay.signal(signal.SIGHUP)
    wait_until(lambda: shop.place(7, 3, 1) and len(relay.log_text()) > quiet, "it speaks again", 15)
    assert relay.running()


def test_check_finds_all_problems_before_the_first_run(shop):
    relay = shop.relay()
    done = relay.command("check")
    assert done.returncode != 0 and shop.slot in done.stdout + done.stderr, "the slot is not there yet"
    assert relay.command("init").returncode == 0
    assert shop.cluster.slot(shop.slot) is not None
    assert relay.command("init").returncode == 0, "init may be repeated"
    done = relay.command("check")
    assert done.returncode == 0, done.stdout + done.stderr
    shop.kafka.create(shop.topic("unused"))
    relay.write_config(inbox=[shop.binding("not-there", "holdfast.on_order_failed"),
                              shop.binding("order-failed", "holdfast.no_such_handler")])
    done = relay.command("check")
    found = done.stdout + done.stderr
    assert done.returncode != 0
    assert "not-there" in found and "no_such_handler" in found, found


def test_check_reports_every_problem_of_a_file_with_its_line(shop):
    relay = shop.relay()
    relay.config_file.write_text('[postgres]\nslot = 7\n\n[capture]\ndelivery = "sometimes"\nrecord_offset = true\n[nonsense]\nx = 1\n')
    done = relay.command("check")
    said = done.stdout + done.stderr
    assert done.returncode == 78
    for line in (2, 5, 6, 7):
        assert f":{line}" in said, said
    assert "record_offsets" in said


def test_status_command_shows_slot_and_lag(shop):
    relay = shop.run_relay()
    shop.place(7, 1, 1)
    audit.wait_delivered(shop)
    done = relay.command("status")
    assert done.returncode == 0 and shop.slot in done.stdout, done.stdout + done.stderr


def test_one_off_commands_say_that_the_database_does_not_answer(directory):
    nowhere = Relay(directory, {"postgres": {"dsn": f"host=127.0.0.1 port={free_ports()[0]} dbname=shop user=shop"},
                                "kafka": {"bootstrap.servers": "127.0.0.1:1"}})
    for command in (["init"], ["status"], ["snapshot", "--list"]):
        done = nowhere.command(*command)
        assert done.returncode == 69 and "code=unavailable" in done.stderr, (command, done.stderr)


def test_environment_overrides_the_file(shop):
    relay = shop.relay(env={"HOLDFAST_POSTGRES_SLOT": shop.slot}, postgres={"slot": "another"})
    relay.start("--create-slot").wait_ready()
    assert shop.cluster.slot(shop.slot) is not None and shop.cluster.slot("another") is None


def test_version_and_usage():
    assert re.match(r"holdfast-relay \d+\.\d+\.\d+", subprocess.run([BINARY, "version"], capture_output=True, text=True).stdout)
    wrong = subprocess.run([BINARY, "no-such-command"], capture_output=True, text=True)
    assert wrong.returncode == 64 and wrong.stderr


def test_secret_from_a_file(canary_shop):
    shop = canary_shop
    secret = shop.directory / "password"
    secret.write_text(CANARY + "\n")
    secret.chmod(0o600)
    relay = shop.relay(postgres={"dsn": f"host=127.0.0.1 port={shop.cluster.port} dbname={shop.name} user=canary"})
    text = relay.config_file.read_text().replace("[postgres]", f'[postgres]\npassword = {{ file = "{secret}" }}', 1)
    relay.config_file.write_text(text)
    relay.start("--create-slot").wait_ready()


def test_outbox_partition_is_kept_until_kafka_has_it(shop):
    """Retention alone drops nothing: maintain() waits for the slot."""
    relay = shop.run_relay(maintenance={"interval_s": 3600})
    relay.terminate()
    order_id, _, _ = shop.place(7, 1, 1)
    with shop.connect("postgres") as connection:
        connection.execute("SET holdfast.outbox_retention = 1")
        for _ in range(3):
            connection.execute("SELECT holdfast.maintain()")
    assert shop.value("SELECT count(*) FROM holdfast.outbox WHERE aggregateid = %s", str(order_id)) >= 2
    relay.start()
    audit.wait_delivered(shop)


def test_a_locked_catalogue_does_not_keep_holds_from_expiring(shop):
    """Since PostgreSQL 16 a table that is being rebuilt is locked for whoever looks at its publication."""
    relay = shop.run_relay()
    warm_up, _, _ = shop.place(7, 1, 1)
    expire(shop, warm_up)
    shop.wait_status(warm_up, "EXPIRED")
    order_id, _, _ = shop.place(7, 1, 1)
    with shop.connect("postgres") as other, other.transaction():
        other.execute("LOCK TABLE pg_catalog.pg_publication IN ACCESS EXCLUSIVE MODE")
        wait_until(lambda: any("chore=verify" in line and "lock timeout" in line for line in relay.events("upkeep_failed")),
                   "the publication is not waited for", 30)
        expire(shop, order_id)
        shop.wait_status(order_id, "EXPIRED")

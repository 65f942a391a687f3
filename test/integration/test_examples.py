"""examples/: the shop in each language does what examples/README.md says, by the commands that it gives.

Each folder is copied to build/deps/examples/, as a reader would, and what its first command downloads stays there.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import TEMPLATE
from harness.processes import BUILD, ROOT

EXAMPLES = ROOT / "examples"
WORKPLACE = BUILD / "deps/examples"
README = (EXAMPLES / "README.md").read_text()

# {language: (once, and then)}
COMMANDS = {language: commands for language, *commands in
            re.findall(r"^\| \[(\w+)/.*\| `([^`]+)` \| `([^`]+)` \|$", README, re.M)}
PRODUCTS = re.findall(r"^CALL holdfast\.set_product.*;$", README, re.M)
TOOLS = {"python": ["python3"], "node": ["npm", "node"], "go": ["go"], "java": ["mvn", "javac", "java"]}

OUTPUT = re.compile("\n".join((
    r"placed: order (?P<order>\d+) is PENDING, durability elr",
    r"repeated: order (?P=order) is PENDING, replayed true",
    r"refused: order (?P<refused>\d+) is FAILED, reason OUT_OF_STOCK",
    r"wrong: HF002 product 999 does not exist",
    r"submitted: request (?P<trace>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) is PROCESSING",
    r"completed: order (?P=order) is COMPLETED, 30000 KRW", "")))

PASSWORD = "examples"


def environment(**more):
    """Ours without its PG variables; downloads and caches go below build/."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {
        "PATH": f"{pathlib.Path(sys.executable).parent}:{kept['PATH']}",
        "GOMODCACHE": str(WORKPLACE / "go-modules"), "GOCACHE": str(WORKPLACE / "go-build"),
        "GOFLAGS": "-modcacherw -buildvcs=false", "GOTOOLCHAIN": "local",
        "npm_config_cache": str(WORKPLACE / "npm"), "npm_config_audit": "false", "npm_config_fund": "false",
        "npm_config_update_notifier": "false", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    } | more


def run(command, directory, timeout_s, **variables):
    done = subprocess.run(["bash", "-c", command], cwd=directory, env=environment(**variables), capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=timeout_s)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", params=sorted(TOOLS))
def program(request):
    """(language, folder, command) of a program that only needs to be run."""
    language = request.param
    for tool in TOOLS[language]:
        if shutil.which(tool) is None:
            pytest.fail(f"no {tool} on the PATH (make setup-test installs it)", pytrace=False)
    once, command = COMMANDS[language]
    source, folder = EXAMPLES / language, WORKPLACE / language
    files = [f for f in sorted(source.rglob("*"))
             if f.is_file() and not {"node_modules", "target", "__pycache__"} & set(f.relative_to(source).parts)]
    state = hashlib.sha256(repr([once, *((f.name, f.read_bytes()) for f in files)]).encode()).hexdigest()
    stamp = WORKPLACE / f"{language}.ready"
    if not stamp.exists() or stamp.read_text() != state:
        shutil.rmtree(folder, ignore_errors=True)
        for file in files:
            copy = folder / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        run(once, folder, 600)
        stamp.write_text(state)
    return language, folder, command


@pytest.fixture
def database(cluster, program):
    """A shop of its own for each run, which a program reaches by TCP, as all four drivers can."""
    name = f"examples_{program[0]}"
    cluster.admin(f"ALTER ROLE shop_app PASSWORD '{PASSWORD}'")
    cluster.create_database(name, TEMPLATE)
    with cluster.connect(name, "shop_admin") as connection:
        for statement in PRODUCTS:
            connection.execute(statement)
    yield name
    cluster.drop_database(name)
    cluster.admin("ALTER ROLE shop_app PASSWORD NULL")


@pytest.mark.parametrize("found_by", ["environment", "argument"])
def test_shop(cluster, database, program, found_by):
    language, folder, command = program
    if found_by == "environment":
        printed = run(command, folder, 300, PGHOST="127.0.0.1", PGPORT=str(cluster.port), PGDATABASE=database, PGUSER="shop_app",
                      PGPASSWORD=PASSWORD, PGSSLMODE="disable")
    else:
        server = f"127.0.0.1:{cluster.port}/{database}"
        url = (f"jdbc:postgresql://{server}?user=shop_app&password={PASSWORD}" if language == "java" else
               f"postgres://shop_app:{PASSWORD}@{server}?sslmode=disable")
        printed = run(f"{command} '{url}'", folder, 300)

    said = OUTPUT.fullmatch(printed)
    assert said, printed
    with cluster.connect(database) as connection:
        def query(statement):
            return dict(connection.execute(statement).fetchall())
        assert query("SELECT order_id, status FROM holdfast.orders") == {
            int(said["order"]): "COMPLETED", int(said["refused"]): "FAILED"}
        assert query("SELECT trace_id::text, status FROM holdfast.order_request") == {said["trace"]: "PROCESSING"}
        assert query("SELECT product_id, available FROM holdfast.availability()") == {1: 97, 2: 50}
        assert connection.execute(
            "SELECT * FROM holdfast.reconcile() WHERE expected IS DISTINCT FROM actual").fetchall() == []

"""Fixtures: one PostgreSQL cluster and one Kafka node for all tests, a fresh shop for each.

Logs are below build/integration/; those of a test that failed are kept, and their ends are shown.
"""

import re
import shutil

import pytest

from harness.kafka import Node
from harness.postgres import Cluster
from harness.processes import leave, run_directory
from harness.relay import BINARY
from harness.shop import Shop

TEMPLATE = "holdfast_template"


@pytest.fixture(scope="session")
def workplace(request):
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}: run `make relay` first, or set HOLDFAST_RELAY", 2)
    path = run_directory("integration")
    yield path
    if request.session.testsfailed == 0:
        leave(path)


@pytest.fixture(scope="session")
def cluster(workplace):
    cluster = Cluster(workplace / "postgres").create().start()
    try:
        cluster.create_template(TEMPLATE)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def kafka(workplace):
    node = Node(workplace / "kafka")
    yield node
    node.wipe()


@pytest.fixture
def directory(workplace, request):
    path = workplace / re.sub(r"\W+", "_", request.node.name)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    yield path
    if not getattr(request.node, "failed", True):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_shop(cluster, kafka, directory, request):
    """Shops, by number of partitions; closed after the test."""
    shops = []

    def make(partitions=3, cluster=cluster, template=TEMPLATE):
        make.count += 1
        shop = Shop(cluster, kafka, f"shop_{make.count}", directory, template=template, partitions=partitions)
        shops.append(shop)
        return shop.open()
    make.count = getattr(request.config, "shops_made", 0)
    yield make
    request.config.shops_made = make.count
    request.node.logs = [log for shop in shops for log in shop.logs()]
    for shop in shops:
        shop.close()


@pytest.fixture
def shop(make_shop):
    """A shop with the three products of harness.shop.PRODUCTS."""
    return make_shop().seed()


@pytest.fixture
def own_cluster(workplace, request):
    """A cluster that a test may break."""
    cluster = Cluster(workplace / ("pg_" + re.sub(r"\W+", "_", request.node.name)[:40])).create().start()
    cluster.create_template(TEMPLATE)
    yield cluster
    cluster.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.when == "setup":
        item.failed = False
    if report.failed:
        item.failed = True
        shop = getattr(item, "funcargs", {}).get("shop")
        for log in shop.logs() if shop else []:
            if log.exists():
                report.sections.append((str(log), "\n".join(log.read_text(errors="replace").splitlines()[-25:])))



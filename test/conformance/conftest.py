"""The conformance suite's fixtures: one run over all selected cases, whose results the tests look at.

Files are below build/conformance/ and stay there when a case has failed.
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from harness.processes import leave, run_directory  # noqa: E402
from suite.run import Run  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--reader", choices=("relay", "debezium"), default="relay",
                     help="what is compared with Debezium; debezium: with itself, which proves the suite")
    parser.addoption("--golden", action="store_true", help="write golden/ from Debezium's run")
    parser.addoption("--apart", action="store_true",
                     help="a database and a connector for each case, to find the one that stops the connector of its group")


@pytest.fixture(scope="session")
def run(request):
    cases = list({item.callspec.params["case"].name: item.callspec.params["case"]
                  for item in request.session.items if "case" in getattr(getattr(item, "callspec", None), "params", {})}.values())
    directory = run_directory("conformance")
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    run = Run(directory, request.config.getoption("--reader"), lambda text: reporter.write_line(text),
              request.config.getoption("--golden"))
    try:
        run.open().read(cases, request.config.getoption("--apart"))
        yield run
    finally:
        run.close()
        leave(directory)

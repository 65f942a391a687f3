"""docs/debezium-tests.md: every line has a test or a reason, and the tests exist."""

import re

from harness.processes import ROOT

PAGE = ROOT / "docs/debezium-tests.md"


def rows():
    """[(theirs, ours, remark)] in the order of the page."""
    found = re.findall(r"^\| (.+?) \| (.+?) \| (.*?) ?\|$", PAGE.read_text(), re.M)
    return [row for row in found if row[0] != "theirs"]


def missing(names):
    """Which tests, as the page writes them, do not exist."""
    units = set()
    for file in (ROOT / "test/unit").rglob("*_test.cpp"):
        units |= {".".join(match) for match in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", file.read_text(), re.M)}

    def exists(name):
        if "::" not in name:
            return name in units
        file, function = name.split("::")
        path = ROOT / "test/integration" / file
        return path.exists() and re.search(rf"^def {function}\(", path.read_text(), re.M) is not None
    return {name for name in names if not exists(name)}


def test_every_line_has_a_test_or_a_reason():
    assert len(rows()) == 33
    for theirs, ours, remark in rows():
        assert re.findall(r"`[^`]+`", ours) or (ours == "not applicable" and remark), theirs


def test_every_test_that_it_names_exists():
    wrong = {theirs: sorted(absent) for theirs, ours, _ in rows() if (absent := missing(re.findall(r"`([^`]+)`", ours)))}
    assert wrong == {}
    assert missing({"test_halts.py::test_nothing", "no_such.py::test_x", "Suite.Nothing"}) == {
        "test_halts.py::test_nothing", "no_such.py::test_x", "Suite.Nothing"}


def test_no_line_is_there_twice():
    names = [name.strip() for theirs, _, _ in rows() for name in theirs.split(",")]
    assert len(names) == len(set(names))

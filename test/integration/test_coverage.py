"""docs/coverage.md has every row, and what it names exists."""

import re

from harness.processes import ROOT

PAGE = ROOT / "docs/coverage.md"
ROWS = [f"S{system}.{n}" for system, rows in enumerate((34, 24, 22, 19, 14)) for n in range(1, rows + 1)] + [
    f"G{n}" for n in range(1, 10)]


def rows():
    """[(row, text of the last two columns)] in the order of the page."""
    lines = re.findall(r"^\| ([SG][0-9.]+) \| .* \|$", PAGE.read_text(), re.M)
    found = re.findall(r"^\| [SG][0-9.]+ \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(), re.M)
    assert len(lines) == len(found), "a row has four columns"
    return list(zip(lines, (" ".join(columns) for columns in found), strict=True))


def sources(folder, pattern):
    return "\n".join(f.read_text() for f in sorted((ROOT / folder).glob(pattern)))


def missing(names):
    """Which of the names, as the page writes them, do not exist."""
    sql = set(re.findall(r"^CREATE (?:FUNCTION|PROCEDURE|VIEW|TABLE) holdfast\.(\w+)", sources("sql/parts", "*.sql"), re.M))
    settings = set(re.findall(r'"holdfast\.(\w+)"', sources("extension/src/backend", "settings.cpp")))
    sections = set(re.findall(r"^### `(\[+\w+\]+)`", (ROOT / "docs/configuration.md").read_text(), re.M))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    events = {f.name.split(".")[0] for f in (ROOT / "docs/events").glob("*.json")}

    def exists(name):
        if name.endswith("()"):
            return name[:-2] in sql
        if name.startswith("holdfast."):
            return name.removeprefix("holdfast.") in sql | settings
        if name.startswith("["):
            return name in sections
        if name.startswith("make "):
            return name.removeprefix("make ") in targets
        if "::" in name:
            file, function = name.split("::")
            path = ROOT / "test/integration" / file
            return path.exists() and re.search(rf"^def {function}\(", path.read_text(), re.M) is not None
        if re.fullmatch(r"test_\w+\.py", name):
            return (ROOT / "test/integration" / name).exists()
        if "/" in name:
            return (ROOT / name).exists()
        return name in events or (ROOT / name).exists()
    return {name for name in names if not exists(name)}


def names_of(text):
    """What a row names in backticks, and where its links lead, from the root."""
    links = ((PAGE.parent / target).resolve().relative_to(ROOT) for target in re.findall(r"\]\(([^)#]+)", text))
    return set(re.findall(r"`([^`]+)`", re.sub(r"\]\([^)]*\)", "]", text))) | {str(link) for link in links}


def test_every_row_is_there_once():
    assert [row for row, _ in rows()] == ROWS


def test_every_row_is_shown_by_a_test_or_says_that_it_is_documentation():
    without = [row for row, text in rows() if not re.search(r"test|documentation|as there", text)]
    assert without == []


def test_everything_that_it_names_exists():
    wrong = {row: sorted(absent) for row, text in rows() if (absent := missing(names_of(text)))}
    assert wrong == {}
    assert missing({"no_such()", "holdfast.no_such", "[nothing]", "make nothing", "test_saga.py::test_nothing", "no/such.file",
                    "no-such-event"}) == {"no_such()", "holdfast.no_such", "[nothing]", "make nothing", "test_saga.py::test_nothing",
                                          "no/such.file", "no-such-event"}

"""A case: one SQL file below cases/, with the options that both readers get.

The file opens with a sentence and with what is special about the case, a line each:

    -- option: NAME = VALUE      a property of Debezium's connector (any number)
    -- outbox: TABLE             routed by the event router, whose options are option: transforms.outbox.*
    -- publication: TEXT         what follows CREATE PUBLICATION ...; default FOR ALL TABLES
    -- alone: WHY                shares no database with cases of equal options
    -- partitions: N             of the topics of its tables, where order across keys matters (default 3)
    -- requires: EXTENSION       skipped where the server does not have it
    -- halts: WHY                both readers stop with an error in the last step, whose records nobody owes;
                                 so what has to come before it is a step of its own
    -- ends: snapshot            there is no streaming; done is who has read the last row
    -- differs: ID               a difference that docs/message-format.md lists and only such cases may have

and goes on with its sections: -- (schema) runs before the slots are made, -- (workload) after it.
-- (wait) in the workload lets both readers come this far before it goes on.
-- (snapshot) TABLE, ... [WHERE CONDITION] is a wait behind which both take an incremental snapshot of these
tables; the workload goes on when both are through.  The search path is the schema that is named as the
case.  Topics that have the case's name in theirs are the case's.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[1] / "cases"
DEFAULT_PARTITIONS = 3

_WORDS = {"option", "outbox", "publication", "alone", "partitions", "requires", "halts", "ends", "differs"}


@dataclass(frozen=True)
class Snapshot:
    """An incremental one, as both readers are asked for it."""

    tables: tuple  # as schema.table
    condition: str | None


@dataclass(frozen=True)
class Case:
    name: str
    about: str
    schema: str
    steps: tuple  # of SQL; between two of them both readers catch up
    options: dict = field(default_factory=dict, hash=False)
    snapshots: dict = field(default_factory=dict, hash=False)  # by the step that they come before
    outbox: str | None = None
    publication: str = "FOR ALL TABLES"
    alone: str | None = None
    partitions: int | None = None
    requires: str | None = None
    halts: str | None = None
    ends: str | None = None
    differs: tuple = ()

    @property
    def live(self):
        """The workload needs readers that are running."""
        return len(self.steps) > 1 or self.options.get("snapshot.mode", "no_data") != "no_data"

    def owns(self, topic):
        return re.search(rf"(?<![A-Za-z0-9_]){self.name}(?![A-Za-z0-9_])", topic) is not None

    def __str__(self):
        return self.name


def parse(path):
    """Read a case; ValueError says which line is wrong."""
    name = path.stem
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,40}", name):
        raise ValueError(f"{path}: a case's name is a lower-case identifier, because its schema is called so")
    about, options, given, sections, snapshots = [], {}, {}, [], {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        marker = re.fullmatch(r"-- \((schema|workload|wait)\)\s*|-- \((snapshot)\)(.*)", line)
        if marker:
            if marker[2]:
                snapshots[len(sections)] = _snapshot(name, marker[3], f"{path}:{number}")
            sections.append((marker[1] or "wait", []))
        elif sections:
            sections[-1][1].append(line)
        elif not line.startswith("--"):
            if line.strip():
                raise ValueError(f"{path}:{number}: SQL before the first section")
        else:
            word = re.fullmatch(r"-- ([a-z]+): ?(.*)", line)
            if word is None or word[1] not in _WORDS:
                about.append(line[2:].strip())
            elif word[1] == "option":
                key, equals, value = word[2].partition("=")
                if not equals:
                    raise ValueError(f"{path}:{number}: write -- option: NAME = VALUE")
                options[key.strip()] = value.strip()
            elif word[1] == "differs":
                given["differs"] = (*given.get("differs", ()), word[2].strip())
            else:
                given[word[1]] = word[2].strip()
    kinds = [kind for kind, _ in sections]
    if kinds[:1] == ["schema"]:
        schema, work = sections[0], sections[1:]
        snapshots = {place - 1: snapshot for place, snapshot in snapshots.items()}
    else:
        schema, work = ("schema", []), sections
    if [kind for kind, _ in work] != ["workload", *["wait"] * (len(work) - 1)]:
        raise ValueError(f"{path}: the sections are (schema), (workload) and any number of (wait) and (snapshot), and are {kinds}")
    if "partitions" in given:
        given["partitions"] = int(given["partitions"])
    if given.get("ends") not in (None, "snapshot"):
        raise ValueError(f"{path}: ends: may only be snapshot")
    return Case(name, " ".join(about), "\n".join(schema[1]), tuple("\n".join(lines) for _, lines in work), options, snapshots, **given)


def _snapshot(case, text, where):
    tables, _, condition = re.fullmatch(r"\s*(.*?)\s*(\bWHERE\s+(.*))?", text).groups()
    names = tuple(name.strip() for name in tables.split(","))
    if not all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names):
        raise ValueError(f"{where}: write -- (snapshot) TABLE, ... [WHERE CONDITION]")
    return Snapshot(tuple(f"{case}.{name}" for name in names), condition)


def all_cases():
    return [parse(path) for path in sorted(DIRECTORY.glob("*.sql"))]

"""The table of results, on the terminal and in docs/benchmarks.md."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import page  # noqa: E402


@dataclass
class Row:
    what: str
    measured: str
    target: str
    met: bool | None  # None: shown for comparison only


def markdown(rows):
    lines = ["| | measured | target | |", "|---|---|---|---|"]
    lines += [f"| {r.what} | {r.measured} | {r.target} | {'' if r.met is None else 'met' if r.met else '**missed**'} |" for r in rows]
    return "\n".join(lines)


def terminal(rows):
    table = [("", "measured", "target", "")] + [
        (r.what, r.measured, r.target, "" if r.met is None else "met" if r.met else "MISSED") for r in rows]
    widths = [max(len(r[i]) for r in table) for i in range(4)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in table)


def write(rows, notes):
    """Replace the relay's section of docs/benchmarks.md."""
    page.write("relay", "Relay", "make bench-relay",
               "PostgreSQL, Kafka (one node), relay, writers and consumers share these cores.",
               "\n".join([markdown(rows), "", *[f"- {n}" for n in notes]]))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

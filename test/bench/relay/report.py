"""The table of results, on the terminal and in docs/benchmarks.md."""

import datetime
import os
import platform
import re
from dataclasses import dataclass

BEGIN, END = "<!-- relay: written by test/bench/relay/bench.py -->", "<!-- /relay -->"


@dataclass
class Row:
    what: str
    measured: str
    target: str
    met: bool | None  # None: shown for comparison only


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def markdown(rows):
    lines = ["| | measured | target | |", "|---|---|---|---|"]
    lines += [f"| {r.what} | {r.measured} | {r.target} | {'' if r.met is None else 'met' if r.met else '**missed**'} |" for r in rows]
    return "\n".join(lines)


def terminal(rows):
    table = [("", "measured", "target", "")] + [
        (r.what, r.measured, r.target, "" if r.met is None else "met" if r.met else "MISSED") for r in rows]
    widths = [max(len(r[i]) for r in table) for i in range(4)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in table)


def write(page, rows, notes, command):
    """Replace the relay's section of docs/benchmarks.md."""
    section = "\n".join([
        BEGIN, "## Relay", "",
        f"`{command}`, {datetime.date.today().isoformat()}: {machine()}. PostgreSQL, Kafka (one node), relay, writers and "
        "consumers share these cores.", "", markdown(rows), "", *[f"- {n}" for n in notes], END])
    text = page.read_text() if page.exists() else "# Benchmarks\n\nRatios within one run; other figures belong to the machine.\n"
    if BEGIN in text:
        text = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: section, text, flags=re.S)
    else:
        text = text.rstrip() + "\n\n" + section + "\n"
    page.write_text(text)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

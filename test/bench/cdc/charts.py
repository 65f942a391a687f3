#!/usr/bin/env python3
"""Bar charts of what bench.py measured, as SVG below docs/charts: the same figures give the same bytes.

    charts.py [FIGURES.json]     draw them again, by default from docs/charts/cdc.json
"""

import json
import statistics
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
DIRECTORY = ROOT / "docs/charts"
FIGURES = DIRECTORY / "cdc.json"
TITLES = {"throughput": "Events per second (more is better)", "cpu": "CPU time per event (less is better)",
          "memory": "Peak memory (less is better)", "latency": "From commit to consumer at 1,000 rows/s (less is better)"}

CONTESTANTS = {"debezium_defaults": ("Debezium, defaults", "#b8bcc4"), "debezium": ("Debezium, tuned", "#7c8798"),
               "relay": ("holdfast-relay", "#1f7a5c"), "relay_pgoutput": ("holdfast-relay, pgoutput", "#8fbfae"),
               "recvlogical_batches": ("pg_recvlogical, batches", "#c9a24b"), "recvlogical": ("pg_recvlogical, pgoutput", "#e3c98b"),
               "producer": ("a producer alone", "#d3a6a0")}
PARTS = {"outbox": "outbox", "changes": "change events,\n20 columns", "snapshot": "snapshot", "transaction": "one large\ntransaction"}


def link(name):
    """Where docs/benchmarks.md finds a chart."""
    return f"charts/cdc-{name}.svg"


def bars(name, groups, label, number, start=None):
    """One chart: `groups` is {group: {contestant: value}}.  With a `start` the axis is logarithmic from there on."""
    shown = [c for c in CONTESTANTS if any(c in values for values in groups.values())]
    height = 0.8 / len(shown)
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.3 * len(groups) * (len(shown) + 1)))
    for i, contestant in enumerate(shown):
        text, colour = CONTESTANTS[contestant]
        places = [g + i * height for g, values in enumerate(groups.values()) if contestant in values]
        values = [values[contestant] for values in groups.values() if contestant in values]
        drawn = axes.barh(places, values, height * 0.92, color=colour, label=text)
        axes.bar_label(drawn, [number.format(v) for v in values], padding=4, fontsize=9)
    axes.set_yticks([g + 0.4 - height / 2 for g in range(len(groups))], groups)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    if start is not None:
        axes.set_xscale("log")
        axes.set_xlim(left=start)
    axes.set_xlabel(label)
    axes.set_title(TITLES[name], loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    figure.savefig(DIRECTORY / f"cdc-{name}.svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)


def medians(measured, parts, field, scale=1.0):
    """{name of the part: {contestant: median}} of parts that were measured."""
    found = {}
    for part, text in parts.items():
        values = {c: statistics.median(r[field] for r in rounds) / scale
                  for c, rounds in measured.get(part, {"rounds": {}})["rounds"].items() if rounds[0][field] is not None}
        if values:
            found[text] = values
    return found


def draw(kept):
    """Draw those charts for which there are figures; their names."""
    # Text as text: small files, readable in a diff.  The salt makes the ids the same each time.
    plt.rcParams.update({"svg.hashsalt": "holdfast", "svg.fonttype": "none", "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"]})
    measured = kept["parts"]
    latency = {f"{text}{how}": values for part, how in (("latency", ""), ("latency_real_time", ",\nSCHED_RR"))
               for field, text in (("p50_ms", "p50"), ("p99_ms", "p99"))
               for values in medians(measured, {part: text}, field).values()}
    found = {"throughput": (medians(measured, PARTS, "rate", 1000), "thousand events per second", "{:,.1f}"),
             "cpu": (medians(measured, PARTS, "cpu_us"), "microseconds", "{:.1f}"),
             "memory": (medians(measured, PARTS, "peak_bytes", 2**20), "MiB", "{:,.0f}"),
             "latency": (latency, "milliseconds, logarithmic", "{:.1f}", 0.1)}
    drawn = {name: chart for name, chart in found.items() if chart[0]}
    for name, chart in drawn.items():
        bars(name, *chart)
    return list(drawn)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else FIGURES).read_text()))

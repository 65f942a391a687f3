"""docs/benchmarks.md: each benchmark replaces its own section and leaves the others."""

import datetime
import os
import platform
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def write(name, title, command, setting, body):
    """Replace the section `name`; `setting` is a sentence on what shared the machine."""
    begin, end = f"<!-- {name}: written by {command} -->", f"<!-- /{name} -->"
    section = "\n".join([begin, f"## {title}", "", f"`{command}`, {datetime.date.today().isoformat()}: {machine()}. {setting}",
                         "", body, end])
    text = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n\nRatios within one run; other figures belong to the machine.\n"
    if begin in text:
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: section, text, flags=re.S)
    else:
        text = text.rstrip() + "\n\n" + section + "\n"
    PAGE.write_text(text)

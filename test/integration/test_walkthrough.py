"""docs/walkthrough.md does what it says: its blocks are typed into one terminal, in order.

A `sh` or `sql` block is input; a `text` block is what the input before it printed, with `...` for what
differs from run to run, and any number of blanks or dashes for one.  What is only looked at (SELECT) may
be asked again until it shows what the page shows: the page's reader types more slowly than we do.
"""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.postgres import bindir
from harness.processes import ROOT, free_ports
from harness.relay import BINARY
from harness.waiting import Deadline, wait_until

PAGE = ROOT / "docs/walkthrough.md"
BLOCK = re.compile(r"^```(sh|sql|text)\n(.*?)^```$", re.M | re.S)
DONE = "this is the end of the block"


class Terminal:
    """A shell, and the psql that is opened in it."""

    def __init__(self, env):
        self._shell = subprocess.Popen(["bash"], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self._lines = queue.Queue()
        self._in_psql = False
        threading.Thread(target=lambda: [self._lines.put(line) for line in self._shell.stdout], daemon=True).start()

    def type(self, text):
        """What it prints; in the shell, its last command succeeds."""
        last = text.rstrip().splitlines()[-1]
        if last != "\\q":
            self._in_psql |= last.startswith("psql ") and " -c " not in last
            return self._printed(text)
        printed = self._printed(text.removesuffix("\\q\n"))
        self._write("\\q\n")
        # The two read from one pipe, so what is typed ahead would be typed into psql.
        wait_until(lambda: not self._psql(), "psql has ended")
        self._in_psql = False
        return printed

    def _printed(self, text):
        self._write(text + (f"\\echo {DONE} 0\n" if self._in_psql else f"echo {DONE} $?\n"))
        printed = ""
        while True:
            try:
                line = self._lines.get(timeout=120)
            except queue.Empty:
                raise AssertionError(f"there is no end of\n{text}\nIt printed\n{printed}") from None
            if line.startswith(DONE):
                assert line.split()[-1] == "0", f"exit code {line.split()[-1]} of\n{text}\nIt printed\n{printed}"
                return printed
            printed += line

    def _write(self, text):
        self._shell.stdin.write(text)
        self._shell.stdin.flush()

    def _psql(self):
        """Whether a psql runs in the shell."""
        shell = Path(f"/proc/{self._shell.pid}/task/{self._shell.pid}/children")
        return any(Path(f"/proc/{child}/comm").read_text().strip() == "psql" for child in shell.read_text().split())

    def close(self):
        os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()


def pattern(shown):
    """A regular expression for what a text block shows."""
    def blanks(text):
        return re.sub(r"(\\-){3,}", r"-+", re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(text)))
    return re.compile(".*?".join(blanks(part) for part in re.split(r"\s*\.\.\.\s*", shown.strip())), re.S)


@pytest.fixture
def terminal(directory):
    path = os.pathsep.join(map(str, (BINARY.parent, Path(sys.executable).parent, bindir(), os.environ["PATH"])))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    http_port, rest_port = map(str, free_ports(2))
    env = kept | {"PATH": path, "PG_BIN": str(bindir()), "PSQLRC": os.devnull,
                  "WALKTHROUGH": str(directory), "HTTP_PORT": http_port, "REST_PORT": rest_port}
    terminal = Terminal(env)
    yield terminal
    terminal.close()
    subprocess.run([ROOT / "tools/pg_cluster.sh", "stop", directory / "postgres", "immediate"], env=env, check=True)


def shows(terminal, text, wanted):
    """(whether it prints what is wanted, what it printed last)."""
    printed = [terminal.type(text)]

    def as_wanted():
        if wanted.fullmatch(printed[-1].strip()):
            return True
        if text.startswith("SELECT"):
            printed.append(terminal.type(text))
        return False
    try:
        wait_until(as_wanted, "", 30 if text.startswith("SELECT") else 0)
        return True, printed[-1]
    except Deadline:
        return False, printed[-1]


def test_every_command_of_the_walkthrough_does_what_the_page_shows(terminal):
    page = PAGE.read_text()
    blocks = BLOCK.findall(page)
    assert 2 * len(blocks) == page.count("```"), "every block of the page is sh, sql or text"
    for (language, text), (follows, output) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "text":
            continue
        if follows == "text":
            right, printed = shows(terminal, text, pattern(output))
            if not right:
                pytest.fail(f"{text}\nprinted\n{printed}\nThe page shows\n{output}", pytrace=False)
        else:
            printed = terminal.type(text)
            assert not re.search(r"\berror\b", printed, re.I), f"{text}\nprinted\n{printed}"

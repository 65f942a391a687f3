"""pgbench as a writer: at a rate (open loop: a transaction is due when it is due, however long those before
it take) or as fast as it can, and when each transaction was due and done."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.postgres import bindir
from harness.processes import as_server_user


@dataclass(frozen=True)
class Transaction:
    client: int
    number: int  # of the client, from 1
    due_s: float  # since the epoch; where there is no rate, when it began
    began_s: float
    done_s: float


def run(shop, script, *flags):
    """The transactions of one run of `script`, in the order in which they ended.  `flags` say how many."""
    place = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    place.chmod(0o777)
    try:
        (place / "script.sql").write_text(script)
        (place / "script.sql").chmod(0o644)
        subprocess.run([*as_server_user(), bindir() / "pgbench", "-n", "-M", "prepared", "-h", shop.cluster.socket_directory,
                        "-p", str(shop.cluster.port), "-U", "postgres", "-l", "--log-prefix", place / "log", "-f", place / "script.sql",
                        *map(str, flags), shop.name], check=True, capture_output=True, text=True, cwd="/")
        return transactions(place)
    finally:
        shutil.rmtree(place)


def transactions(directory):
    """What pgbench's logs say: client, number, microseconds since it was due, script, end, microseconds that
    it began too late."""
    found, numbers = [], {}
    for log in sorted(directory.glob("log.*")):
        for line in log.read_text().splitlines():
            client, _, took_us, _, end_s, end_us, *late_us = map(int, line.split())
            numbers[client] = numbers.get(client, 0) + 1
            done_s = end_s + end_us / 1e6
            due_s = done_s - took_us / 1e6
            found.append(Transaction(client, numbers[client], due_s, due_s + (late_us[0] if late_us else 0) / 1e6, done_s))
    return sorted(found, key=lambda t: t.done_s)

"""Child processes: started with a log file, in a chosen user, ended by their own process id.

A child gets a signal when the thread that started it ends, so that a killed test run leaves nothing
behind; start servers from the main thread, therefore.
"""

import contextlib
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"
SERVER_USER = "postgres"  # PostgreSQL refuses to run as root


def as_server_user():
    """The start of a command line that runs the rest as an unprivileged user, where we are root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--init-groups", "--"]


def give_to_server_user(path):
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def run_directory(name):
    """A fresh directory build/`name`, or one below /var/tmp where the server's user cannot reach build/
    (a checkout below root's home)."""
    path = BUILD / name
    path.mkdir(parents=True, exist_ok=True)
    if subprocess.run([*as_server_user(), "test", "-x", path], stderr=subprocess.DEVNULL).returncode != 0:
        path = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-", dir="/var/tmp"))
        path.chmod(0o755)
    return path


def leave(path):
    """Remove a run directory that is not below build/: nobody would look for it there."""
    if BUILD not in path.parents:
        shutil.rmtree(path, ignore_errors=True)


def free_ports(count=1):
    """Ports that nobody listens on, below those from which the kernel gives outgoing connections theirs: one of these could
    be taken again before the server that it is for has started."""
    below = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    for port in random.sample(range(10_000, max(below, 20_000)), 1_000):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"no {count} ports are free")


class Process:
    """One child.  `log` is appended to over restarts."""

    def __init__(self, command, log, env=None, parent_death_signal="KILL", cwd=None):
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", parent_death_signal, "--", *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child.poll() is None

    def signal(self, number):
        if self.running():
            self._child.send_signal(number)

    def wait(self, timeout_s=30):
        """The exit code (negative: the signal that ended it)."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"process {self.pid} has not ended after {timeout_s} s; its log ends:\n{self.tail()}") from None

    def kill(self):
        self.signal(signal.SIGKILL)
        self._child.wait()

    def terminate(self, timeout_s=30):
        """SIGTERM; the exit code and the seconds that it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s), time.monotonic() - began

    def usage(self):
        """(CPU seconds, peak RSS in bytes) of the process so far."""
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        cpu_s = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return cpu_s, int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def tail(self, lines=15):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

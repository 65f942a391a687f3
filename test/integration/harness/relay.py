"""The relay under test: its configuration file, its process, its metrics and its health."""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

from .processes import BUILD, Process, free_ports
from .waiting import wait_until

BINARY = pathlib.Path(os.environ.get("HOLDFAST_RELAY", BUILD / "release/bin/holdfast-relay"))


def toml(config):
    """A configuration as TOML: {section: {key: value}}, an array of tables where the section is a list."""
    lines = []
    for section, body in config.items():
        for table in body if isinstance(body, list) else [body]:
            lines.append(f"[[{section}]]" if isinstance(body, list) else f"[{section}]")
            for key, value in table.items():
                lines.append(f"{json.dumps(key)} = {json.dumps(value)}")  # JSON's scalars and lists are TOML's
            lines.append("")
    return "\n".join(lines)


def merged(config, changes):
    """`config` with the keys of `changes` in its sections; None removes a key, or a section."""
    result = {section: dict(body) if isinstance(body, dict) else list(body) for section, body in config.items()}
    for section, body in changes.items():
        if body is None:
            result.pop(section, None)
        elif isinstance(body, list):
            result[section] = body
        else:
            table = result.setdefault(section, {})
            for key, value in body.items():
                if value is None:
                    table.pop(key, None)
                else:
                    table[key] = value
    return result


class Relay:
    """One relay.  `start` may be called again after it ended: same configuration, same log."""

    def __init__(self, directory, config, name="relay", binary=None, env=None):
        self.binary = binary or BINARY
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config_file = self.directory / f"{name}.toml"
        self.log = self.directory / f"{name}.log"
        self.http_port = free_ports()[0]
        self.config = merged(config, {"http": {"listen": f"127.0.0.1:{self.http_port}"}})
        self.env = env
        self._process = None
        self.write_config()

    def write_config(self, **changes):
        self.config = merged(self.config, changes)
        self.config_file.write_text(toml(self.config))
        self.config_file.chmod(0o600)

    def start(self, *flags):
        self._process = Process([self.binary, "run", "--config", self.config_file, *flags], self.log, env=self.env)
        return self

    def command(self, name, *args, timeout_s=30):
        """Run another command of the relay on the same configuration; the completed process."""
        return subprocess.run([self.binary, name, "--config", self.config_file, *args], capture_output=True, text=True,
                              timeout=timeout_s, env={**os.environ, **(self.env or {})})

    # ---- process
    @property
    def pid(self):
        return self._process.pid

    def running(self):
        return self._process is not None and self._process.running()

    def signal(self, number):
        self._process.signal(number)

    def kill(self):
        if self._process is not None:
            self._process.kill()

    def terminate(self):
        return self._process.terminate()

    def exit_code(self, timeout_s=30):
        return self._process.wait(timeout_s)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    # ---- what it says
    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def events(self, name):
        """The log lines of one event."""
        return [line for line in self.log_text().splitlines() if re.search(rf"\bevent={name}\b", line)]

    def get(self, path):
        """(status, body) of a page of its HTTP server; (None, '') when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError:
            return None, ""

    def ready(self):
        return self.get("/health/ready")[0] == 200

    def live(self):
        return self.get("/health/live")[0] == 200

    def wait_ready(self, timeout_s=30):
        def ready():
            if not self.running():
                raise AssertionError(f"the relay ended with {self.exit_code()} before it was ready:\n{self._process.tail()}")
            return self.ready()
        wait_until(ready, lambda: f"the relay is ready; it says {self.get('/health/ready')}\n{self._process.tail()}", timeout_s)
        return self

    def metrics(self):
        """{name: value or sum over labels} of /metrics, and {name{labels}: value} beside them."""
        values = {}
        for line in self.get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
                bare = name.split("{")[0]
                if bare != name:
                    values[bare] = values.get(bare, 0.0) + float(value)
        return values

    def usage(self):
        """(CPU seconds, peak RSS in bytes) of the process so far."""
        return self._process.usage()

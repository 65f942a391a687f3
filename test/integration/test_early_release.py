"""Early lock release: what is acknowledged survives a crash of the server."""

import pathlib
import subprocess
import sys


def test_acknowledged_orders_survive_an_immediate_stop():
    script = pathlib.Path(__file__).with_name("crash_elr.py")
    done = subprocess.run([sys.executable, script, "--rounds", "2"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout

"""The kernel's scheduling class of this process, of what it has started and of what it is going to start.

Programs that share two cores also share them with the compilers and collectors of two JVMs and with whatever else the machine
runs; under the default class such a thread keeps its core for a time slice of some milliseconds, whoever wakes up meanwhile.
Under SCHED_RR (sched(7)) a thread that wakes up takes the core at once, so that a latency is the programs' own."""

import contextlib
import os
from pathlib import Path

REAL_TIME, DEFAULT = (os.SCHED_RR, 1), (os.SCHED_OTHER, 0)


@contextlib.contextmanager
def real_time(*others):
    """SCHED_RR for this process, its descendants and those of `others` (process ids), and, as it is inherited, for all that
    they start meanwhile.  PermissionError without CAP_SYS_NICE or a limit RLIMIT_RTPRIO."""
    roots = (os.getpid(), *others)
    try:
        _give(roots, *REAL_TIME)
        yield
    finally:
        _give(roots, *DEFAULT)


def _give(roots, policy, priority):
    for root in roots:
        for thread in _threads(root):
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(thread, policy, os.sched_param(priority))


def _threads(process):
    for task in Path(f"/proc/{process}/task").glob("*"):
        yield int(task.name)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in (task / "children").read_text().split():
                yield from _threads(int(child))

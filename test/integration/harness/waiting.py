"""Waiting for conditions: the only place of the tests that sleeps, between two looks."""

import time

POLL_S = 0.02


class Deadline(AssertionError):
    """A condition did not become true in time."""


def wait_until(condition, what, timeout_s=30.0):
    """Call `condition` until it returns something true, and return that.

    `what` names the condition in the error; a callable is called for it, so that it can tell the last
    state that was seen.
    """
    give_up_at = time.monotonic() + timeout_s
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() >= give_up_at:
            raise Deadline(f"after {timeout_s:g} s still not: {what() if callable(what) else what}")
        time.sleep(POLL_S)


def holds_for(condition, seconds, what):
    """Require that `condition` stays true for `seconds`: for what must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise AssertionError(f"did not hold: {what}")
        time.sleep(POLL_S)

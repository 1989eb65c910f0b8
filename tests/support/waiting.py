"""Waiting for what another thread, process or server brings about."""

import time
from collections.abc import Callable

TIMEOUT = 30.0  # seconds; what is waited for comes much sooner
POLL = 0.02  # seconds


def wait_until(holds: Callable[[], object], what: str, *, seconds: float = TIMEOUT) -> None:
    """Poll until something holds; fail when it does not within the time.

    Args:
        holds: returns something true once it holds.
        what: a clause that says it, for the failure.
        seconds: how long to wait.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(POLL)

"""Waits for what another thread, process or server does."""

import time
from collections.abc import Callable

TIMEOUT = 30.0  # seconds; the wait is usually much shorter
POLL = 0.02  # seconds


def wait_until(holds: Callable[[], object], what: str, *, seconds: float = TIMEOUT) -> None:
    """Poll until something holds; fail if it does not in time.

    Args:
        holds: returns something true once it holds.
        what: what is waited for, for the failure's message.
        seconds: how long to wait.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(POLL)

"""How long we wait: for a lock, for a new password; and how a long wait is reported."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from common.log import logger

# Called with the database that takes long, "source" or "target", and a sentence that says why.
type ReportWait = Callable[[str, str], None]


def log_wait(role: str, why: str) -> None:
    """Log that a database takes long."""
    logger.info("waiting for a database", database=role, why=why)


@dataclass(frozen=True, slots=True)
class Retry:
    """For how long something is tried again, and the pause between two attempts; in seconds."""

    seconds: float
    pause: float

    def start(self, at_most: float = math.inf) -> "Timeout":
        """Start the time, which ends after `at_most` seconds at the latest."""
        return Timeout(time.monotonic() + min(self.seconds, at_most), self.pause)


@dataclass(frozen=True, slots=True)
class Timeout:
    """The time for something that is tried again; `at` is a moment of the monotonic clock."""

    at: float
    pause_seconds: float

    @property
    def is_over(self) -> bool:
        """Whether the last attempt was made; the first one always is."""
        return time.monotonic() >= self.at

    def pause(self) -> None:
        """Wait before the next attempt."""
        time.sleep(self.pause_seconds)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a session waits for others.

    `table_locks`: for locks on the target's tables, all attempts together; `source_locks`: for
    those on the source's, which a migration of production may hold; `run_lock`: for the target's
    lock, since a killed run's backend may linger for a moment; `rotation`: for a secret to become
    valid, since a rotation changes the password first and the secret some seconds later.
    `login_notice` and `commit_notice`: the seconds after which `report` is called, once, for a
    login or a commit that is not done.
    """

    table_locks: Retry = Retry(30.0, pause=0.3)
    source_locks: Retry = Retry(30.0, pause=0.3)
    run_lock: Retry = Retry(90.0, pause=0.5)
    rotation: Retry = Retry(60.0, pause=2.0)
    login_notice: float = 5.0
    commit_notice: float = 15.0
    report: ReportWait = log_wait


WAITS = Waits()


@contextmanager
def if_longer_than(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Call a function, in another thread, if a with statement takes longer than that."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

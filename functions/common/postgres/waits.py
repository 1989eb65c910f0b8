"""How long a session waits for locks or a new password, and how a long wait is reported."""

import math
import random
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
    """How long something is retried, and the pause between two attempts, in seconds."""

    seconds: float
    pause: float

    def start(self, at_most: float = math.inf) -> "Timeout":
        """Start the time, of at most `at_most` seconds."""
        return Timeout(time.monotonic() + min(self.seconds, at_most), self.pause)


@dataclass(frozen=True, slots=True)
class Timeout:
    """When retrying ends; `at` is a moment of the monotonic clock."""

    at: float
    pause_seconds: float

    @property
    def is_over(self) -> bool:
        """Whether no further attempt is to be made."""
        return time.monotonic() >= self.at

    def pause(self) -> None:
        """Wait before the next attempt."""
        time.sleep(self.pause_seconds)

    def pause_apart(self) -> None:
        """Wait about as long, so that two that got in each other's way do not do so again."""
        time.sleep(self.pause_seconds * random.uniform(0.5, 1.5))  # noqa: S311  # no secret


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a session waits for others.

    `table_locks`: for locks on the target's tables, all attempts together; `source_locks`: for
    those on the source's, which a migration of production may hold; `run_lock`: for the target's
    lock, since a killed run's backend may linger for a moment; `rotation`: for a new password,
    since a rotation changes it in the database first and in the secret some seconds later.
    `login_notice` and `commit_notice`: the seconds after which `report` is called, once, if a login
    or a commit is not done by then.
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
    """Call a function in another thread if a with statement takes longer than this."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

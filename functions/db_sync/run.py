"""What the steps of one run share."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from common.database import Session
from common.deadline import Deadline
from common.login import Waiting, log_waiting
from common.names import Name
from common.naming import naming
from db_sync.rules import SyncRules

type Progress = Callable[[str, int, int], None]  # phase, how many are done, of how many


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How to sync; `execution` names the run to others that meet its lock."""

    execution: str
    rules: SyncRules = field(default_factory=SyncRules)
    dry_run: bool = False
    deadline: Deadline = field(default_factory=Deadline)
    progress: Progress = no_progress
    waiting: Waiting = log_waiting


@dataclass(frozen=True, slots=True)
class Run:
    """One run: both sessions, its options, and the seconds that each table took in each phase."""

    source: Session
    target: Session
    options: SyncOptions
    seconds: dict[Name, dict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )

    def limit(self, doing: str) -> None:
        """Limit both sessions' next statements to the time that is left.

        Raises:
            OutOfTime: see `Deadline.limit`.
        """
        self.options.deadline.limit(doing, self.source, self.target)

    def each[T](self, phase: str, items: Sequence[T]) -> Iterator[T]:
        """Iterate over a phase's items, showing progress."""
        for done, item in enumerate(items):
            self.options.progress(phase, done, len(items))
            yield item
        self.options.progress(phase, len(items), len(items))

    @contextmanager
    def timed(self, phase: str, table: Name) -> Iterator[None]:
        """Note how long a with statement takes, as that table's share of a phase.

        An error in it names the table.
        """
        started = time.monotonic()
        with naming("table", table):
            yield
        self.seconds[table][phase] += round(time.monotonic() - started, 3)

"""What the steps of one run share."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from common.database import Session
from common.deadline import Deadline
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


@dataclass(frozen=True, slots=True)
class Run:
    """One run: both sessions and its options."""

    source: Session
    target: Session
    options: SyncOptions

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

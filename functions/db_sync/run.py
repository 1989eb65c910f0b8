"""What the steps of one run share, and how an error in one names what was worked on."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple

from common.errors import DatabaseUnavailable, StagingSyncError
from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from common.postgres.deadline import Deadline
from common.postgres.names import Name
from common.postgres.naming import naming
from common.postgres.waits import WAITS, Waits
from db_sync.brief_locks import AT_ONCE
from db_sync.environment import InParts
from db_sync.pace import Pace
from db_sync.plan.catalog import Table
from db_sync.plan.tables import TablePlan
from db_sync.rules import SyncRules
from db_sync.tuning import Tuning

type Progress = Callable[[str, int, int], None]  # phase, how many are done, of how many

# What a phase does to a table, by the phase's name in reports and metrics.
PARTICIPLES = {
    "compare": "compared",
    "fetch": "fetched",
    "merge": "merged",
    "copy": "copied",
    "index": "indexed",
    "verify": "verified",
    "count": "counted",
}


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """Show nothing."""


def nothing_unfinished() -> bool:
    """Know of no first load that was begun."""
    return False


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How to sync; `execution` names the run to others that meet its lock.

    `mask_key` is needed if the rules mask. `is_remapped`: whether a remap follows, which links
    people again whose address is masked otherwise than before. `in_parts`: when it may be divided
    if there is no time for it. `is_first_load_unfinished`: looks up whether a first load in parts
    was begun and is not done.
    """

    execution: str
    rules: SyncRules = field(default_factory=SyncRules)
    dry_run: bool = False
    deadline: Deadline = field(default_factory=Deadline)
    progress: Progress = no_progress
    waits: Waits = WAITS
    tuning: Tuning = field(default_factory=Tuning)
    mask_key: MaskKey | None = None
    is_remapped: bool = False
    in_parts: InParts = "never"
    is_first_load_unfinished: Callable[[], bool] = nothing_unfinished


class LoadedPeople(NamedTuple):
    """How many people have another sub in staging, and a sum that changes if one of them does.

    `lacking` is how many have none in staging, and one in production.
    """

    number: int
    digest: int
    lacking: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run: both sessions, its options, and the seconds that each table took in each phase.

    `pace` tells whether it will be done in time. `people` are those that the target's transaction
    has loaded, by the temporary table.
    """

    source: Session
    target: Session
    options: SyncOptions
    seconds: dict[Name, dict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    pace: Pace = field(default_factory=Pace)
    people: dict[str, LoadedPeople] = field(default_factory=dict)

    @property
    def tuning(self) -> Tuning:
        """The numbers by which it chooses its ways."""
        return self.options.tuning

    def limit(self, doing: str) -> None:
        """Limit both sessions' next statements to the time that is left.

        Raises:
            OutOfTime: see `Deadline.limit` and `Pace.check`.
        """
        self.pace.check(self.seconds)
        self.options.deadline.limit(doing, self.source, self.target)

    def each[T](self, phase: str, items: Sequence[T]) -> Iterator[T]:
        """Iterate over a phase's items, showing progress."""
        for done, item in enumerate(items):
            self.options.progress(phase, done, len(items))
            yield item
        self.options.progress(phase, len(items), len(items))

    @contextmanager
    def step(self, phase: str, plan: TablePlan) -> Iterator[None]:
        """Do a phase's work on one table, in a with statement: limited, timed, and named in errors.

        Both sessions must be idle when it begins.

        Raises:
            OutOfTime: see `Deadline.limit`.
        """
        self.limit(f"{plan.name} was {PARTICIPLES[phase]}")
        with self.timed(phase, plan):
            yield

    @contextmanager
    def timed(self, phase: str, plan: TablePlan) -> Iterator[None]:
        """As `step`, without a limit of its own: one of the sessions may be busy."""
        started = time.monotonic()
        with naming("table", plan.name), _naming_conversions(plan):
            yield
        self.seconds[plan.name][phase] += round(time.monotonic() - started, 3)


@contextmanager
def sessions(
    source_address: DatabaseAddress, target_address: DatabaseAddress, options: SyncOptions
) -> Iterator[Run]:
    """Connect to both databases for a with statement, and yield a run."""
    execution, waits = options.execution, options.waits
    with (
        connect(
            source_address, "source", execution=execution, read_only=True, waits=waits
        ) as source,
        connect(target_address, "target", execution=execution, waits=waits) as target,
    ):
        yield Run(source, target, options)


@contextmanager
def _naming_conversions(plan: TablePlan) -> Iterator[None]:
    """Name the columns that are converted or masked in an error."""
    converted = [column.name for column in plan.compared if column.conversion and not column.mask]
    doing = [
        f"{what} {', '.join(columns)}"
        for what, columns in (
            ("converting", converted),
            ("masking", [column.name for column in plan.masked]),
        )
        if columns
    ]
    try:
        yield
    except StagingSyncError as error:
        if not doing:
            raise
        raise error.adding(f"The table is {plan.name}, {' and '.join(doing)}.") from error


def ask_at_once[N: (Table, Name), A](
    session: Session, kind: str, items: Sequence[N], ask: Callable[[Sequence[N]], list[A]]
) -> list[A]:
    """Ask about many items in few statements; if one fails, about each alone, to name the culprit.

    The locks that this takes are released.

    Args:
        session: in a transaction.
        kind: "table" or "sequence".
        items: what is asked about.
        ask: asks about some of them.

    Raises:
        StagingSyncError: with the name of the first of them that cannot be asked about.
    """
    answers: list[A] = []
    with session.savepoint(force_rollback=True) as savepoint:
        for number, some in enumerate(batched(items, AT_ONCE)):
            if number:
                savepoint.roll_back()
            try:
                answers += ask(some)
            except DatabaseUnavailable:
                raise
            except StagingSyncError:
                savepoint.roll_back()
                for item in some:
                    with naming(kind, item.name if isinstance(item, Table) else item):
                        ask([item])
                raise
    return answers

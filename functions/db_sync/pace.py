"""Whether a sync will be done before its deadline, by the tables' sizes and what was measured.

Only asked where the sync can be divided into parts instead: it is not given up otherwise.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from common.errors import OutOfTime
from common.postgres.deadline import Deadline
from common.postgres.names import Name
from db_sync.tuning import Rates

# Bytes: what was measured of fewer says little about the rest.
ENOUGH = 64 * 1024**2
WRITING = ("copy", "index", "verify")

type Seconds = Mapping[Name, Mapping[str, float]]  # by table and phase


@dataclass(frozen=True, slots=True)
class Work:
    """How many bytes of a table are compared, and how many are written."""

    compared: int
    written: int


@dataclass(slots=True)
class Pace:
    """What a sync has to do until a deadline; nothing as long as it is not known."""

    deadline: Deadline = field(default_factory=Deadline)
    rates: Rates = field(default_factory=Rates)
    work: Mapping[Name, Work] = field(default_factory=dict)

    def begin(self, deadline: Deadline, rates: Rates, work: Mapping[Name, Work]) -> None:
        """Note what is to be done."""
        self.deadline, self.rates, self.work = deadline, rates, work

    def check(self, seconds: Seconds) -> None:
        """Compare what is left to do with the time that is left.

        Args:
            seconds: that each table took in each phase so far.

        Raises:
            OutOfTime: there is more to do than time.
        """
        needed, left = self._needed(seconds), self.deadline.seconds_left
        if needed > left:
            raise OutOfTime(
                f"The sync needs about {needed:.0f} s more, and has {max(left, 0):.0f} s."
            )

    def replacing(self, tables: Collection[Name]) -> None:
        """Note tables of which all rows are written, which is known when they are compared."""
        self.work = {
            name: Work(work.compared, max(work.compared, work.written)) if name in tables else work
            for name, work in self.work.items()
        }

    def _needed(self, seconds: Seconds) -> float:
        compared = {name for name, phases in seconds.items() if "compare" in phases}
        written = {name for name, phases in seconds.items() if phases.keys() >= {*WRITING}}
        bytes_compared = {name: work.compared for name, work in self.work.items()}
        bytes_written = {name: work.written for name, work in self.work.items()}
        return sum(
            _left(wanted, done, _rate(wanted, done, seconds, phases, assumed))
            for wanted, done, phases, assumed in (
                (bytes_compared, compared, ("compare",), self.rates.compare),
                (bytes_written, written, WRITING, self.rates.write),
            )
        )


def _left(wanted: Mapping[Name, int], done: Collection[Name], rate: float) -> float:
    """Return how many seconds the tables take that are not done."""
    return sum(count for name, count in wanted.items() if name not in done) / rate


def _rate(
    wanted: Mapping[Name, int],
    done: Collection[Name],
    seconds: Seconds,
    phases: Collection[str],
    assumed: float,
) -> float:
    """Return how many bytes a second were done, or what is assumed before enough were."""
    measured = [name for name in done if wanted.get(name)]
    total = sum(wanted[name] for name in measured)
    took = sum(seconds[name].get(phase, 0.0) for name in measured for phase in phases)
    return total / took if total >= ENOUGH and took else assumed

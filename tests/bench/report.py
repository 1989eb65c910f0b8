"""The tables that `make bench` prints."""

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psutil
from rich import box
from rich.table import Table

from sandbox.database import Database
from tests.bench import data
from tests.bench.cases import (
    AIM_MEMORY_OF_SYNC,
    MUST_BLOCKED,
    MUST_MEMORY_OF_SYNC,
    Case,
    MaskedCase,
)
from tests.bench.measure import Measurement
from tests.bench.servers import SETTINGS, Servers

MEGABYTE, NANOSECONDS = 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case's measurements: one per run, and the peers' seconds by name."""

    case: Case
    syncs: Sequence[Measurement]
    peers: dict[str, list[float]]

    @property
    def seconds(self) -> float:
        """The sync's median."""
        return median(sync.seconds for sync in self.syncs)

    @property
    def ratio(self) -> float:
        """The sync's median to the faster peer's."""
        return self.seconds / median(self.peers[self.faster_peer])

    @property
    def faster_peer(self) -> str:
        """The name of the peer with the least median."""
        return min(self.peers, key=lambda name: median(self.peers[name]))


@dataclass(frozen=True, slots=True)
class MaskedOutcome:
    """A case's measurements with masks and without them, and how many values are masked."""

    case: MaskedCase
    masked: Sequence[Measurement]
    unmasked: Sequence[Measurement]
    values: int

    @property
    def seconds(self) -> float:
        """The median with masks."""
        return median(sync.seconds for sync in self.masked)

    @property
    def unmasked_seconds(self) -> float:
        """The median without them."""
        return median(sync.seconds for sync in self.unmasked)

    @property
    def ratio(self) -> float:
        """The median with masks to that without."""
        return self.seconds / self.unmasked_seconds

    @property
    def nanoseconds(self) -> float:
        """How much longer the sync took for each masked value."""
        return (self.seconds - self.unmasked_seconds) / self.values * NANOSECONDS


def as_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the table: medians of seconds, maxima of memory and blocking."""
    peers = list(outcomes[0].peers)
    table = Table(box=box.ASCII2)
    table.add_column("case", no_wrap=True)
    headings = (
        "sync",
        *peers,
        "faster",
        "ratio",
        "must",
        "aim",
        "",
        "memory",
        "reader waits",
        "writer waits",
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome in outcomes:
        case = outcome.case
        memory = max(sync.peak_memory for sync in outcome.syncs) / MEGABYTE
        reader = max(sync.reader_blocked for sync in outcome.syncs)
        writer = max(sync.writer_blocked for sync in outcome.syncs)
        table.add_row(
            case.name,
            f"{outcome.seconds:.1f} s",
            *(f"{median(outcome.peers[peer]):.1f} s" for peer in peers),
            outcome.faster_peer,
            f"{outcome.ratio:.3f}",
            f"{case.must:.2f}",
            f"{case.aim:.2f}",
            verdict(outcome.ratio, case.must, case.aim),
            f"{memory:.0f} MB {verdict(memory, MUST_MEMORY_OF_SYNC, AIM_MEMORY_OF_SYNC)}",
            _waits(reader, must_not=case.lets_read),
            _waits(writer, must_not=case.lets_write),
        )
    return table


def as_table_of_masks(outcomes: Sequence[MaskedOutcome]) -> Table:
    """Return the table of the masked cases: medians of seconds, maxima of memory."""
    table = Table(box=box.ASCII2)
    table.add_column("case", no_wrap=True)
    for heading in ("masked", "unmasked", "ratio", "must", "", "ns for a value", "memory"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        memory = max(sync.peak_memory for sync in outcome.masked) / MEGABYTE
        must = outcome.case.must
        table.add_row(
            outcome.case.unmasked.name,
            f"{outcome.seconds:.1f} s",
            f"{outcome.unmasked_seconds:.1f} s",
            f"{outcome.ratio:.3f}",
            f"{must:.2f}",
            "must" if outcome.ratio <= must else "MISSED",
            f"{outcome.nanoseconds:,.0f}",
            f"{memory:.0f} MB",
        )
    return table


def conditions(servers: Servers, scale: float, runs: int, size: int) -> str:
    """Return the conditions of a measurement.

    Args:
        servers: the servers.
        scale: of the data.
        runs: how often each case ran.
        size: of the source database at the beginning, in bytes.
    """
    return (
        f"{machine()}; {postgresql(servers.source)}, two servers;"
        f" scale {scale:g} ({size / 1e9:.2f} GB), median of {runs}."
    )


def describe(servers: Servers, scale: float, runs: int, size: int) -> str:
    """Return the conditions of a measurement, as `conditions` does, and what must be reached."""
    return (
        f"{conditions(servers, scale, runs, size)}"
        f" Memory: must {MUST_MEMORY_OF_SYNC} MB, aim {AIM_MEMORY_OF_SYNC} MB."
        " Who reads staging where 1% changed, and who writes to it where nothing changed, must not"
        f" wait: less than {MUST_BLOCKED} s, since a probe's statement takes milliseconds itself."
    )


def machine() -> str:
    """Return the date, and what the benchmark ran on."""
    today = datetime.datetime.now(datetime.UTC).date()
    memory = psutil.virtual_memory().total / 1e9
    return f"{today}: {os.cpu_count()} cores, {memory:.0f} GB of memory"


def postgresql(database: Database) -> str:
    """Return a server's version, and the settings that all of them have."""
    settings = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
    return f"PostgreSQL {data.version(database)} ({settings})"


def _waits(seconds: float, *, must_not: bool) -> str:
    return f"{seconds:.2f} s" + (" MISSED" if must_not and seconds >= MUST_BLOCKED else "")


def verdict(value: float, must: float, aim: float) -> str:
    """Return how a value compares with what it must and should not exceed."""
    if value <= aim:
        return "aim"
    return "must" if value <= must else "MISSED"

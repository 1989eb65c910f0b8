"""What there is to do: a database and its parts, and what each of its bytes takes of staging.

Bytes are those of the database with its indexes, a MB has a million of them, and a core is one of a
typical instance (Graviton2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from db_sync.parts.dividing import MOST_TABLES
from db_sync.tuning import Rates

MEGABYTE, GIGABYTE = 1e6, 1e9
LARGEST_TABLE, SMALL_TABLES = 0.6, 1000  # of a database: the share of one, and how many others
TABLES = 0.8  # of a database's bytes; the others are indexes
# A core of the machine that measured is taken to do what two of a typical instance do: an
# assumption, since none of those is here.
CORES = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What a GB of the database takes of staging.

    `seconds`: of one core, and so of one connection, which is one process of the server. `disk`:
    bytes that its disk reads or writes for one of the database. `expected`: the bytes of tables
    that DbSync expects to get done in a second when it divides them into parts.
    """

    name: str
    seconds: float
    disk: float
    expected: float

    def part(self, seconds: float) -> float:
        """Return how many bytes of the database are a part that is to take so many seconds."""
        return self.expected * seconds / TABLES


# Measured: `tests/bench`, scale 1, PostgreSQL 15; see docs/scaling.md. A load's figures are those
# of tables that are divided, which keep their indexes; others take half of the cores.
FIRST_LOAD = Work("first load", seconds=22.0 * CORES, disk=3.3, expected=Rates().write)
RECENT = Work("1% changed, recent", seconds=2.5 * CORES, disk=1.1, expected=Rates().compare)
CASES = (FIRST_LOAD, RECENT)
# Afterwards staging reads its tables once to count their rows, and once for a foreign key of each.
# Production counts its rows at the same time.
CHECK = Work("check", seconds=0.8 * CORES, disk=TABLES, expected=Rates().compare)
CHECKS = 2  # of each table


@dataclass(frozen=True, slots=True)
class Staging:
    """A server that is written to: its cores, and the bytes that its disk takes per second."""

    name: str
    cores: int
    disk: float

    def alone(self, work: Work) -> float:
        """Return how many bytes of the database one connection gets done per second."""
        return min(GIGABYTE / work.seconds, self.disk / work.disk)

    def together(self, work: Work) -> float:
        """Return how many bytes of the database all connections get done per second at most."""
        return min(self.cores * GIGABYTE / work.seconds, self.disk / work.disk)

    def first_limit(self, work: Work, concurrency: int) -> str:
        """Return what ends first when there are more parts at the same time."""
        limits = {
            "staging's disk": self.disk / work.disk,
            "staging's cores": self.cores * GIGABYTE / work.seconds,
            "parts_concurrency": concurrency * self.alone(work),
        }
        return min(limits, key=lambda name: limits[name])


# EBS's baseline for the class, which a volume has to reach too: gp3 has 125 MiB/s below 400 GiB and
# 500 MiB/s from there on, more if it is paid for.
STAGINGS = (
    Staging("large", 2, 79 * MEGABYTE),
    Staging("2xlarge", 8, 297 * MEGABYTE),
    Staging("8xlarge", 32, 1188 * MEGABYTE),
)


def skewed(size: float) -> list[float]:
    """Return the bytes of a database's tables: a huge one beside a thousand small ones."""
    small = size * (1 - LARGEST_TABLE) / SMALL_TABLES
    return [size * LARGEST_TABLE, *[small] * SMALL_TABLES]


def divide(tables: Sequence[float], size: float) -> list[float]:
    """Return the bytes of each part: a range of a large table, or several small tables.

    Args:
        tables: their bytes.
        size: the bytes of a part. A table is divided if it has half as many again.
    """
    parts: list[float] = []
    together: list[float] = []
    for table in sorted(tables, reverse=True):
        if table > 1.5 * size:
            ranges = math.ceil(table / size)
            parts += [table / ranges] * ranges
            continue
        if sum(together) + table > size or len(together) == MOST_TABLES:
            parts.append(sum(together))
            together = []
        together.append(table)
    return [part for part in (*parts, sum(together)) if part]

"""What there is to do: a database and its parts, and what each of its bytes takes of staging.

Bytes are those of the database with its indexes, a MB has a million of them, and a core is one of a
typical instance (Graviton2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MEGABYTE, GIGABYTE = 1e6, 1e9
LARGEST_TABLE, SMALL_TABLES = 0.6, 1000  # of a database: the share of one, and how many others
# A core of the machine that measured is taken to do what two of a typical instance do: an
# assumption, since none of those is here.
CORES = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What a GB of the database takes of staging.

    `seconds`: of one core, and so of one connection, which is one process of the server. `disk`:
    bytes that its disk reads or writes for one of the database.
    """

    name: str
    seconds: float
    disk: float


# Measured: `tests/bench`, scale 1, PostgreSQL 15; see docs/scaling.md.
FIRST_LOAD = Work("first load", seconds=12.0 * CORES, disk=2.9)
RECENT = Work("1% changed, recent", seconds=2.5 * CORES, disk=1.1)
CASES = (FIRST_LOAD, RECENT)
# Afterwards each table is read twice without its indexes: to count its rows, and for a foreign key.
# Production's rows are counted at the same time, by production.
CHECKS = Work("checks", seconds=1.6 * CORES, disk=1.6)


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


def divide(tables: Sequence[float], largest: float) -> list[float]:
    """Return the bytes of each part: a range of a large table, or several small tables.

    Args:
        tables: their bytes.
        largest: the bytes of a part, at most.
    """
    parts: list[float] = []
    together = 0.0
    for table in sorted(tables, reverse=True):
        ranges = math.ceil(table / largest)
        if ranges > 1:
            parts += [table / ranges] * ranges
        elif together + table > largest:
            parts.append(together)
            together = table
        else:
            together += table
    return [*parts, together] if together else parts

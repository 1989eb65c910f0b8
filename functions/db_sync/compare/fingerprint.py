"""Fingerprints: equal if and only if both sides hold the same rows.

A range's fingerprint is its row count and the sum of its rows' hashes. Both sides are read at the
same time, in the order of the ranges, and compared as they arrive. The same query counts the
target's rows with a stale generated column; a range with such a row differs too.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.postgres.copying import lines
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.function_names import names_of
from db_sync.compare.generated import NOTHING_STALE, counted_stale
from db_sync.compare.ranges import Ranges
from db_sync.compare.row_hash import ValueOf, row_hash
from db_sync.run import Run
from db_sync.statements import Parts, source_value, statement, target_value

OLDEST_VERSION = 140000
MODULUS = 2**63 - 1  # of the sums, as in fingerprint_ranges.sql and fingerprint_table.sql

type Lines = Iterator[bytes]  # as fingerprint_ranges.sql copies them out


class Fingerprint(NamedTuple):
    """A range's number, its rows, and the sum of their hashes."""

    number: int
    rows: int
    hash: int

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Return the fingerprint in a line."""
        number, rows, total, *_ = line.split()
        return cls(int(number), int(rows), int(total))


class Dirty(NamedTuple):
    """A range that differs: its number, the source's rows and hash, and the target's rows."""

    number: int
    rows: int
    hash: int
    target_rows: int

    @property
    def of_source(self) -> Fingerprint:
        """The source's fingerprint."""
        return Fingerprint(self.number, self.rows, self.hash)


class Totals(NamedTuple):
    """How many ranges of a table have rows, how many rows, and the sum of the rows' hashes."""

    ranges: int
    rows: int
    hash: int

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Return the totals in the last line."""
        ranges, rows, total, *_ = line.split()
        return cls(int(ranges), int(rows), int(total))

    @property
    def extent(self) -> "Extent":
        """The same without the hash."""
        return Extent(self.ranges, self.rows)

    def has_rows_of(self, other: "Totals") -> bool:
        """Whether both are of the same rows, in whatever ranges.

        SQL's remainder has the sign of the sum, so that the remainder of the ranges' remainders may
        be another number than that of all rows' sum: one that is equal modulo `MODULUS`.
        """
        return self.rows == other.rows and (self.hash - other.hash) % MODULUS == 0


NOTHING = Totals(0, 0, 0)


class Extent(NamedTuple):
    """How many ranges of a table have rows, and how many rows."""

    ranges: int
    rows: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The source's totals, the target's extent, and the ranges that differ.

    `dirty_count` ranges differ; `dirty` has the first of them, at most `Tuning.max_ranges_noted`.
    Of the target's rows, `stale_rows` have a stale generated column.
    """

    source: Totals
    target: Extent
    dirty: list[Dirty] = field(default_factory=list)
    dirty_count: int = 0
    stale_rows: int = 0

    @property
    def has_noted_all(self) -> bool:
        """Whether `dirty` has every range that differs."""
        return len(self.dirty) == self.dirty_count

    @property
    def dirty_target_rows(self) -> int:
        """How many rows the target has in the ranges that `dirty` has."""
        return sum(each.target_rows for each in self.dirty)

    @property
    def range_count(self) -> int:
        """How many ranges have rows, on the side that has more."""
        return max(self.source.ranges, self.target.ranges)


def require_alike(source: Session, target: Session) -> None:
    """Check that both servers hash a row alike.

    Raises:
        SchemaMismatch: they do not, or one is older than PostgreSQL 14.
    """
    for session in (source, target):
        if session.server_version < OLDEST_VERSION:
            raise SchemaMismatch(
                f"The {session.role} {session.address} runs a PostgreSQL older than 14, which"
                " cannot hash a row. Upgrade it."
            )
    if source.server_encoding != target.server_encoding:
        raise SchemaMismatch(
            f"The source {source.address} is encoded in {source.server_encoding} and the target"
            f" {target.address} in {target.server_encoding}, so that their texts hash differently."
            " Create the target with the source's encoding."
        )
    probe = load_query("db_sync/compare", "probe_hash")
    if source.row(probe) != target.row(probe):
        raise SchemaMismatch(
            f"The servers of {source.address} and {target.address} hash the same row differently"
            " (another byte order), so that their rows cannot be compared."
        )


def of_source(
    source: Session,
    ranges: Ranges,
    numbers: Sequence[int] | None = None,
    grouped: Ranges | None = None,
) -> AbstractContextManager[Lines]:
    """Begin to read the source's fingerprints in the background, for a with statement.

    Args:
        source: the session, which is busy until the with statement ends.
        ranges: the table and how it is divided.
        numbers: of the ranges; None: all.
        grouped: the ranges whose fingerprints are read, if these are others.
    """
    rows = ranges.rows(ranges.plan.source, source_value, numbers)
    return lines(source, _query(grouped or ranges, rows, source_value, NOTHING_STALE))


def of_target(
    target: Session,
    ranges: Ranges,
    numbers: Sequence[int] | None = None,
    grouped: Ranges | None = None,
    stale: Parts = NOTHING_STALE,
) -> AbstractContextManager[Lines]:
    """Begin to read the target's, as `of_source` does; `stale` counts the stale rows."""
    rows = ranges.rows(ranges.plan.target, target_value, numbers)
    return lines(target, _query(grouped or ranges, rows, target_value, stale))


def compare_sides(
    run: Run,
    ranges: Ranges,
    numbers: Sequence[int] | None = None,
    grouped: Ranges | None = None,
) -> Comparison:
    """Read both sides' fingerprints at the same time and compare them; see `of_source`."""
    stale = counted_stale(ranges.plan)
    with (
        names_of(run.target, ranges.plan.target.function_path),
        of_source(run.source, ranges, numbers, grouped) as ours,
        of_target(run.target, ranges, numbers, grouped, stale) as theirs,
    ):
        return compare(ours, theirs, run.tuning.max_ranges_noted)


def compare(ours: Lines, theirs: Lines, most: int) -> Comparison:
    """Compare the source's fingerprints with the target's, both in the order of the ranges.

    Args:
        ours: the source's.
        theirs: the target's.
        most: how many of the ranges that differ are listed.
    """
    dirty: list[Dirty] = []
    dirty_count = 0
    a, b = next(ours), next(theirs)
    while not (_is_total(a) and _is_total(b)):
        if a == b:  # most are, and need not be parsed
            a, b = next(ours), next(theirs)
            continue
        left, right = Fingerprint.parse(a), Fingerprint.parse(b)
        in_left = _is_total(b) or (not _is_total(a) and left.number <= right.number)
        in_right = _is_total(a) or (not _is_total(b) and right.number <= left.number)
        dirty_count += 1
        if dirty_count <= most:
            # A range that one side lacks has no rows there.
            source = left if in_left else Fingerprint(right.number, 0, 0)
            dirty.append(Dirty(*source, right.rows if in_right else 0))
        a = next(ours) if in_left else a
        b = next(theirs) if in_right else b
    *_, stale_rows, _is_last = b.split()
    extent = Totals.parse(b).extent
    return Comparison(Totals.parse(a), extent, dirty, dirty_count, int(stale_rows))


def _is_total(line: bytes) -> bool:
    return line.endswith(b"t\n")


def _query(ranges: Ranges, rows: sql.Composable, value_of: ValueOf, stale: Parts) -> sql.Composed:
    return statement(
        "compare/fingerprint_ranges",
        {
            "number": ranges.number(value_of),
            "hash": row_hash(ranges.plan.compared, value_of),
            "rows": rows,
            **stale,
        },
    )

"""Fingerprints: equal if and only if both sides hold the same rows.

A range's fingerprint is its row count and the sum of its rows' hashes. Both sides are read at
the same time, in the order of the ranges, and merged as they come.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

from psycopg2 import sql

from common.database import Session
from common.errors import SchemaMismatch
from common.queries import load_query
from db_sync.catalog import Table
from db_sync.ranges import Ranges
from db_sync.row_hash import ValueOf, row_hash
from db_sync.statements import source_value, statement, table_rows, target_value
from db_sync.transfer import lines

# Whole groups in memory, and no sort on disk: the planner expects far too many groups.
SETTINGS = {"work_mem": "64MB", "enable_sort": "off", "jit": "off"}
# The hashes' sums are taken modulo this, as the query does, so that each is a bigint.
MODULUS = 2**63 - 1
OLDEST_VERSION = 140000
EVERYWHERE = sql.SQL("")


class Fingerprint(NamedTuple):
    """A range's number, its rows, and the sum of their hashes."""

    number: int
    rows: int
    hash: int

    def plus(self, other: "Fingerprint") -> "Fingerprint":
        """Return the fingerprint of both ranges together, under this one's number."""
        return Fingerprint(self.number, self.rows + other.rows, (self.hash + other.hash) % MODULUS)


NOTHING = Fingerprint(0, 0, 0)


def prepare(source: Session, target: Session) -> None:
    """Set what the fingerprints' plans need, and prove that both servers hash alike.

    Raises:
        SchemaMismatch: they do not, or one is older than PostgreSQL 14.
    """
    for session in (source, target):
        if session.server_version < OLDEST_VERSION:
            raise SchemaMismatch(
                f"The {session.role} {session.address} runs a PostgreSQL older than 14, which"
                " cannot hash a row. Upgrade it."
            )
        session.rows(
            "SELECT set_config(name, value, false) FROM unnest(%s, %s) AS wanted (name, value)",
            [list(SETTINGS), list(SETTINGS.values())],
        )
    encodings = [session.row("SHOW server_encoding")[0] for session in (source, target)]
    if encodings[0] != encodings[1]:
        raise SchemaMismatch(
            f"The source {source.address} is encoded in {encodings[0]} and the target"
            f" {target.address} in {encodings[1]}, so that their texts hash differently. Create"
            " the target with the source's encoding."
        )
    probe = load_query("db_sync", "probe_hash")
    if source.row(probe) != target.row(probe):
        raise SchemaMismatch(
            f"The servers of {source.address} and {target.address} hash the same row differently"
            " (another byte order), so that their rows cannot be compared."
        )


@contextmanager
def both_sides(
    source: Session, target: Session, ranges: Ranges
) -> Iterator[Iterator[tuple[Fingerprint, Fingerprint]]]:
    """Yield the fingerprints of every range that a side has, the source's and the target's."""
    query = _query(ranges, ranges.plan.source, source_value, EVERYWHERE)
    with (
        _fingerprints(source, query) as ours,
        of_target(target, ranges, EVERYWHERE) as theirs,
    ):
        yield merged(ours, theirs)


@contextmanager
def of_target(
    target: Session, ranges: Ranges, only_ranges: sql.Composable
) -> Iterator[Iterator[Fingerprint]]:
    """Yield the target's fingerprints of all ranges, or of those that a JOIN leaves."""
    query = _query(ranges, ranges.plan.target, target_value, only_ranges)
    with _fingerprints(target, query) as found:
        yield found


def merged(
    ours: Iterable[Fingerprint], theirs: Iterable[Fingerprint]
) -> Iterator[tuple[Fingerprint, Fingerprint]]:
    """Merge two ordered streams; a range that one side lacks has no rows there."""
    left, right = chain(ours, [None]), chain(theirs, [None])
    a, b = next(left), next(right)
    while a or b:
        number = min(found.number for found in (a, b) if found)
        nothing = Fingerprint(number, 0, 0)
        in_left, in_right = nothing, nothing
        if a and a.number == number:
            in_left, a = a, next(left)
        if b and b.number == number:
            in_right, b = b, next(right)
        yield in_left, in_right


@contextmanager
def _fingerprints(session: Session, query: sql.Composed) -> Iterator[Iterator[Fingerprint]]:
    with lines(session, query) as found:
        yield (Fingerprint(*map(int, line.split())) for line in found)


def _query(
    ranges: Ranges, table: Table, value_of: ValueOf, only_ranges: sql.Composable
) -> sql.Composed:
    return statement(
        "fingerprint_ranges",
        {
            "number": ranges.number(value_of),
            "hash": row_hash(ranges.plan.compared, value_of),
            "rows": table_rows(table),
            "only_ranges": only_ranges,
        },
    )

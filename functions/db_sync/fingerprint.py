"""Fingerprints of tables: equal if and only if both sides hold the same rows.

A row's hash is the 64-bit hash of its text (`record_out` quotes, so that two different rows
never have one text); a table's is the row count and the sum of the hashes, which does not
depend on the order and counts duplicate rows. *Identical* and not merely *equal*: numeric 1.0
and 1.00 are equal, and have different texts.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from psycopg2 import sql

from common.database import Session
from db_sync.plan import TablePlan
from db_sync.statements import names, source_values, table_rows


class Fingerprint(NamedTuple):
    """How many rows a table has, and the sum of their hashes."""

    rows: int
    hash: int


def fingerprint_source(source: Session, plan: TablePlan) -> Fingerprint:
    """Return the fingerprint of the source's rows, as they would be in the target."""
    return _fingerprint(source, source_values(plan.compared), table_rows(plan.source))


def fingerprint_target(target: Session, plan: TablePlan) -> Fingerprint:
    """Return the fingerprint of the target's rows, without the columns that are its own."""
    return _fingerprint(
        target, names(column.name for column in plan.compared), table_rows(plan.target)
    )


def fingerprint_both(
    source: Session, target: Session, plan: TablePlan
) -> tuple[Fingerprint, Fingerprint]:
    """Return source's and target's fingerprint, computed at the same time."""
    with ThreadPoolExecutor(1) as other:
        of_source = other.submit(fingerprint_source, source, plan)
        of_target = fingerprint_target(target, plan)
        return of_source.result(), of_target


def _fingerprint(session: Session, values: sql.Composable, rows: sql.Composable) -> Fingerprint:
    query = sql.SQL(
        'SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text COLLATE "C", 0)), 0) FROM {}'
    ).format(values, rows)
    count, total = session.row(query)
    return Fingerprint(count, int(total))

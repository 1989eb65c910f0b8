"""Copying rows of one table: all of them, or those of some ranges."""

from psycopg2 import sql

from common.database import Session
from db_sync.compare import Difference
from db_sync.plan import TablePlan
from db_sync.statements import names, source_value, source_values, table_rows
from db_sync.transfer import Transferred, transfer

RANGES = sql.SQL("unnest({}::bigint[], {}::bigint[], {}::bigint[]) AS r (number, low, high)")


def empty_table(target: Session, plan: TablePlan, *, is_referenced: bool) -> None:
    """Remove all rows; never CASCADE.

    Args:
        target: the session that writes.
        plan: the table.
        is_referenced: whether a foreign key points to it; TRUNCATE refuses such a table.
    """
    command = "DELETE FROM {}" if is_referenced else "TRUNCATE {}"
    target.execute(sql.SQL(command).format(table_rows(plan.target)))


def copy_rows(
    source: Session, target: Session, difference: Difference, into: sql.Composable
) -> Transferred:
    """Copy the source's rows of the ranges that differ into a table of the target's session."""
    columns = difference.plan.compared + difference.plan.kept
    values = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT")
    # A table may have no column at all; COPY takes no empty list.
    rows = sql.SQL("COPY {} ({}) FROM STDIN" if columns else "COPY {} FROM STDIN")
    return transfer(
        source,
        values.format(source_values(columns), _differing_rows(difference)),
        target,
        rows.format(into, names(column.name for column in columns)),
    )


def dirty_ranges(difference: Difference) -> sql.Composable:
    """Return the ranges that differ as a FROM item `r`; one that stands for all if most do."""
    ranges = difference.ranges
    numbers = [0] if difference.dirty is None else [each.number for each in difference.dirty]
    # Array literals, not ARRAY[…]: the parser takes one constant, however long.
    bounds = zip(*ranges.rows_of(numbers), strict=True)
    arrays = (sql.Literal("{" + ",".join(map(str, column)) + "}") for column in bounds)
    return RANGES.format(*arrays)


def _differing_rows(difference: Difference) -> sql.Composable:
    """Return the source's rows of the ranges that differ, as a FROM item."""
    table = sql.SQL("{} t").format(table_rows(difference.plan.source))
    if difference.dirty is None or difference.is_copied_whole:
        return table
    return sql.SQL("{} JOIN {} ON {}").format(
        dirty_ranges(difference), table, difference.ranges.contain(source_value)
    )

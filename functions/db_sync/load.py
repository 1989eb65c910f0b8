"""Copying rows of one table: all of them, or those of some ranges."""

from collections.abc import Sequence

from psycopg2 import sql

from db_sync.ranges import Ranges
from db_sync.run import Run
from db_sync.statements import names, source_value, source_values
from db_sync.transfer import Transferred, transfer


def copy_rows(
    run: Run,
    ranges: Ranges,
    numbers: Sequence[int] | None,
    into: sql.Composable,
    *,
    is_frozen: bool = False,
) -> Transferred:
    """Copy rows of the source into a table of the target's session.

    Args:
        run: from its source, to its target.
        ranges: the table.
        numbers: of the ranges whose rows are copied; None: all.
        into: the table that takes them, with the target's columns.
        is_frozen: whether the rows are frozen at once; only for a table that this transaction
            emptied by TRUNCATE.
    """
    columns = ranges.plan.compared + ranges.plan.kept
    values = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT")
    # A table may have no column at all; COPY takes no empty list.
    rows = "COPY {} ({}) FROM STDIN" if columns else "COPY {} FROM STDIN"
    if is_frozen:
        rows += " (FREEZE)"
    return transfer(
        run.source,
        values.format(
            source_values(columns), ranges.rows(ranges.plan.source, source_value, numbers)
        ),
        run.target,
        sql.SQL(rows).format(into, names(column.name for column in columns)),
    )

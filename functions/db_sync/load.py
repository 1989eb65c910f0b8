"""Copying one table whole: into the emptied table, or into a stage beside it."""

from psycopg2 import sql

from common.database import Session
from db_sync.plan import TablePlan
from db_sync.statements import names, source_values, table_rows
from db_sync.transfer import Transferred, transfer


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
    source: Session, target: Session, plan: TablePlan, into: sql.Composable
) -> Transferred:
    """Copy all rows of the source's table into a table of the target's session."""
    columns = plan.compared + plan.kept
    values = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT")
    # A table may have no column at all; COPY takes no empty list.
    rows = sql.SQL("COPY {} ({}) FROM STDIN" if columns else "COPY {} FROM STDIN")
    return transfer(
        source,
        values.format(source_values(columns), table_rows(plan.source)),
        target,
        rows.format(into, names(column.name for column in columns)),
    )

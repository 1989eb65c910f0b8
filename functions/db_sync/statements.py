"""The pieces of SQL that several steps of a sync share."""

from collections.abc import Iterable

from psycopg2 import sql

from db_sync.catalog import Table
from db_sync.plan import PlannedColumn, TablePlan


def table_rows(table: Table) -> sql.Composable:
    """Return the table as a FROM item: without the tables that inherit from it."""
    only = sql.SQL("" if table.is_partitioned else "ONLY ")
    return only + table.name.identifier


def names(columns: Iterable[str], prefix: str = "") -> sql.Composable:
    """Return column names, comma separated, each behind `prefix.` if there is one."""
    return sql.SQL(", ").join(
        sql.Identifier(prefix, column) if prefix else sql.Identifier(column) for column in columns
    )


def source_values(columns: Iterable[PlannedColumn]) -> sql.Composable:
    """Return the source's expressions for columns, each cast to the target's type if needed."""
    return sql.SQL(", ").join(
        sql.SQL("CAST({} AS {})").format(
            sql.Identifier(column.name),
            sql.SQL(column.cast_to),  # format_type's own, quoted by the server
        )
        if column.cast_to
        else sql.Identifier(column.name)
        for column in columns
    )


def same_key(plan: TablePlan, left: str, right: str) -> sql.Composable:
    """Return the condition that two rows have one key, by the operators of its index."""
    return sql.SQL(" AND ").join(
        sql.SQL("{} OPERATOR({}.=) {}").format(
            sql.Identifier(left, column), sql.Identifier(schema), sql.Identifier(right, column)
        )
        for column, schema in zip(plan.target.key, plan.target.key_operator_schemas, strict=True)
    )

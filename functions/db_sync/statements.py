"""Pieces of SQL that several steps of a sync use; `t` is the table in each of them."""

from collections.abc import Iterable

from psycopg2 import sql

from common.postgres.queries import load_query
from db_sync.plan.tables import PlannedColumn, TablePlan

type Parts = dict[str, sql.Composable]


def statement(name: str, parts: Parts) -> sql.Composed:
    """Return a query with its parts put in; "write/insert_rows" is one of db_sync/write."""
    folder, query = name.split("/")
    return sql.SQL(load_query(f"db_sync/{folder}", query)).format(**parts)


def names(columns: Iterable[str], prefix: str = "") -> sql.Composable:
    """Return column names, comma separated, each with `prefix.` before it if there is one."""
    return sql.SQL(", ").join(
        sql.Identifier(prefix, column) if prefix else sql.Identifier(column) for column in columns
    )


def source_value(column: PlannedColumn) -> sql.Composable:
    """Return the source's expression for a column: masked, or converted to the target's type.

    Nothing else reads the source's values, so that no original leaves production.
    """
    if column.mask:
        return column.mask.expression
    value = sql.Identifier("t", column.name)
    return sql.SQL(column.conversion).format(value) if column.conversion else value


def target_value(column: PlannedColumn) -> sql.Composable:
    """Return the target's expression for a column: with production's subs, if it holds subs."""
    return sql.Identifier("t", column.as_sent or column.name)


def source_values(columns: Iterable[PlannedColumn]) -> sql.Composable:
    """Return the source's expressions for columns, comma separated."""
    return sql.SQL(", ").join(map(source_value, columns))


def same_key(plan: TablePlan, left: str, right: str) -> sql.Composable:
    """Return the condition that two rows have the same key, as the key's index compares them."""
    return sql.SQL(" AND ").join(
        sql.SQL("{}{} OPERATOR({}.=) {}").format(
            sql.Identifier(left, column),
            sql.SQL(f" COLLATE {equality.collation}" if equality.collation else ""),
            sql.Identifier(equality.operator_schema),
            sql.Identifier(right, column),
        )
        for column, equality in zip(plan.target.key, plan.target.key_equalities, strict=True)
    )

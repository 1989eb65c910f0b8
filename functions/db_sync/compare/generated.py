"""Stored generated columns: whether they hold what the target's expressions return.

A value is computed when its row is written, and is stale once a function that its expression uses
was replaced. Comparing with production's values would not show it: its expressions may differ.
"""

from collections.abc import Iterable

from psycopg2 import sql

from db_sync.plan.catalog import Column, Expression, Generation
from db_sync.plan.tables import TablePlan
from db_sync.statements import Parts, names

# Computing one by PostgreSQL's own functions takes thirty times as long as hashing the text, and
# only an upgrade of the server makes it stale.
COSTLY = "tsvector"
NOTHING_STALE: Parts = {"generated": sql.SQL(""), "stale": sql.SQL("0")}


def checked_columns(plan: TablePlan) -> list[tuple[Column, Generation]]:
    """Return the target's columns whose stored values are compared with their expressions."""
    return [
        (column, generation)
        for column in plan.target.columns.values()
        if (generation := column.generation) and generation.is_stored
        if column.type != COSTLY or generation.uses_others
    ]


def counted_stale(plan: TablePlan) -> Parts:
    """Return the aggregate that counts the target's stale rows, and the FROM item that it needs."""
    if not checked_columns(plan):
        return NOTHING_STALE
    return {
        "generated": computed(plan),
        "stale": sql.SQL("count(*) FILTER (WHERE generated.is_stale)"),
    }


def computed(plan: TablePlan) -> sql.Composable:
    """Return the join that adds `generated`, whether a stored value is stale, to the FROM item `t`.

    The row's columns are the only ones in its scope, since expressions name them without a table.
    """
    differ = sql.SQL(" OR ").join(
        sql.SQL("ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record").format(
            sql.Identifier("staging_sync_base", column.name), _value(column, generation)
        )
        for column, generation in checked_columns(plan)
    )
    return sql.SQL(
        "CROSS JOIN LATERAL (SELECT t.ctid IS NOT NULL AND ({})"
        " FROM (SELECT t.tableoid, {}) staging_sync_base) generated (is_stale)"
    ).format(differ, names(plan.target.columns, "t"))


def _value(column: Column, generation: Generation) -> sql.Composable:
    """Return the column's expression in the column's type, by partition where they differ."""
    first, *others = generation.expressions

    def value(expression: Expression) -> sql.Composable:
        # The catalog leaves out the cast that assignment would make.
        return sql.SQL(f"({expression.sql})::{column.type}")

    if not others:
        return value(first)
    branches = [
        sql.SQL("WHEN staging_sync_base.tableoid = ANY ({}::oid[]) THEN {}").format(
            sql.Literal("{" + ",".join(map(str, expression.tables)) + "}"), value(expression)
        )
        for expression in others
    ]
    return sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(branches), value(first))


def columns_read(plan: TablePlan, columns: Iterable[str | None] | None = None) -> set[str]:
    """Return the columns that stored generated columns (of the given names; None: all) read."""
    wanted = None if columns is None else set(columns)
    return {
        name
        for column in plan.target.columns.values()
        if column.generation and column.generation.is_stored
        if wanted is None or column.name in wanted
        for expression in column.generation.expressions
        for name in expression.columns
    }


def needs_insert(plan: TablePlan, updated: Iterable[str], bound: set[str | None]) -> bool:
    """Return whether a row with a stale value cannot be updated in place.

    PostgreSQL computes a column again when an UPDATE sets a column that it reads.

    Args:
        plan: the table.
        updated: the columns that an UPDATE sets.
        bound: those whose values an UPDATE cannot exchange; None stands for any.
    """
    settable = set(updated)
    return any(
        None in bound
        or column.name in bound
        or any(settable.isdisjoint(each.columns) for each in generation.expressions)
        for column, generation in checked_columns(plan)
    )

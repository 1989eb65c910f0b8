"""A table's rows as items of FROM: all, those of a section, and as they are compared."""

from psycopg2 import sql

from common.follow.substitution import substituted
from db_sync.plan.catalog import Table


def table_rows(table: Table) -> sql.Composable:
    """Return a table's rows as a FROM item without an alias, which PostgreSQL 15 requires.

    Without the tables that inherit from it. Of a section, also the place of each row is a column.
    """
    if table.section is None:
        return whole_table(table)
    return sql.SQL("(SELECT t.tableoid, t.ctid, t.* FROM {} t WHERE {})").format(
        whole_table(table), table.section.condition
    )


def rows_to_compare(table: Table) -> sql.Composable:
    """Return `table_rows`, with the values of following columns as production sends them."""
    if not table.following:
        return table_rows(table)
    return sql.SQL("(SELECT t.tableoid, t.ctid, t.xmin, t.*, {} FROM {} t{} WHERE {})").format(
        *_with_production_s_subs(table, whole_table(table)),
        table.section.condition if table.section else sql.SQL("true"),
    )


def found_rows_to_compare(table: Table, found: sql.Composable) -> sql.Composable:
    """Return some of `rows_to_compare`.

    Joined after they are found: the joins would be done for each range that they are found in.

    Args:
        table: the target's, or any without columns that follow.
        found: a FROM item with the alias `t`, with `rows_with_places`.
    """
    if not table.following:
        return found
    values, _, joins = _with_production_s_subs(table, whole_table(table))
    return sql.SQL("(SELECT t.*, {} FROM {}{}) t").format(values, found, joins)


def _with_production_s_subs(
    table: Table, rows: sql.Composable
) -> tuple[sql.Composable, sql.Composable, sql.Composable]:
    """Return the values of following columns with their names, the rows, and the joins.

    One join for each of these columns. PostgreSQL leaves it out of a query that does not read the
    value, since no two people have the same sub.
    """
    found = [
        substituted(each.column, rows, each.back, f"staging_sync_subs_{number}")
        for number, each in enumerate(table.following)
    ]
    values = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(back.value, sql.Identifier(each.as_sent))
        for each, back in zip(table.following, found, strict=True)
    )
    return values, rows, sql.SQL("").join([back.join for back in found])


def whole_table(table: Table) -> sql.Composable:
    """Return a table, whatever its section, as statements that write to it name it."""
    only = sql.SQL("" if table.is_partitioned else "ONLY ")
    return only + table.name.identifier


def rows_with_places(table: Table) -> sql.Composable:
    """Return the columns of `table_rows` as `t`, with each row's place: tableoid and ctid."""
    return sql.SQL("t.*" if table.section else "t.tableoid, t.ctid, t.*")

"""What the databases hold, read without staging-sync's own code."""

import contextlib
from collections.abc import Collection

from psycopg2 import sql

from sandbox.bookshop.followers import FOLLOWERS
from sandbox.database import Database

type TableColumn = tuple[str, str]
type Contents = dict[str, list[str]]  # a table's rows as text, sorted

COLUMNS = """
SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
GROUP BY table_name
"""
# This column belongs to staging, whose pool gave the subs.
STAGING_OWNS = ("users", "cognito_sub")
# So the users row stands for the sub that belongs to staging. A sub of nobody's stands for itself.
FOLLOWED = """
COALESCE((SELECT 'user ' || id FROM public.users WHERE cognito_sub = {column}), {column})
"""


def contents(
    database: Database, *, with_subs: bool = False, without: Collection[TableColumn] = ()
) -> Contents:
    """Return every row of every table.

    Args:
        database: which database.
        with_subs: whether to include the subs, which differ after a remap; otherwise the columns
            that follow them have the person instead.
        without: columns to leave out, since they are masked.
    """
    left_out = {*without, *(() if with_subs else (STAGING_OWNS,))}
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        # Equal values have equal texts only with equal settings.
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(COLUMNS)
        tables: list[tuple[str, list[str]]] = cursor.fetchall()
        found: dict[str, list[str]] = {}
        for table, columns in sorted(tables):
            wanted = [
                _value(table, column, with_subs=with_subs)
                for column in columns
                if (table, column) not in left_out
            ]
            query = sql.SQL("SELECT ROW({})::text FROM {}").format(
                sql.SQL(", ").join(wanted), sql.Identifier(table)
            )
            cursor.execute(query)
            found[table] = sorted(line for (line,) in cursor.fetchall())
        return found


def _value(table: str, column: str, *, with_subs: bool) -> sql.Composable:
    """Return what stands for a column in a row's text."""
    if with_subs or (table, column) not in FOLLOWERS:
        return sql.Identifier(column)
    return sql.SQL(FOLLOWED).format(column=sql.Identifier(table, column))


def subs(database: Database) -> dict[str, str | None]:
    """Return what users.cognito_sub holds, by email."""
    return dict(database.rows("SELECT email, cognito_sub FROM users"))

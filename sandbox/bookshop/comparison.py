"""What the databases hold, read without staging-sync's own code."""

import contextlib
from collections.abc import Collection

from psycopg2 import sql

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


def contents(
    database: Database, *, with_subs: bool = False, without: Collection[TableColumn] = ()
) -> Contents:
    """Return every row of every table.

    Args:
        database: which database.
        with_subs: whether to include users.cognito_sub, which differs after a remap.
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
                sql.Identifier(column) for column in columns if (table, column) not in left_out
            ]
            query = sql.SQL("SELECT ROW({})::text FROM {}").format(
                sql.SQL(", ").join(wanted), sql.Identifier(table)
            )
            cursor.execute(query)
            found[table] = sorted(line for (line,) in cursor.fetchall())
        return found


def subs(database: Database) -> dict[str, str | None]:
    """Return what users.cognito_sub holds, by email."""
    return dict(database.rows("SELECT email, cognito_sub FROM users"))

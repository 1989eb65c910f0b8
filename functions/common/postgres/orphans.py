"""Rows of a foreign key's child that lack their parent."""

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.foreign_keys import MATCH_FULL, ForeignKey
from common.postgres.queries import load_query

ALL = sql.SQL("true")  # as a condition


def count_orphans(session: Session, key: ForeignKey, which: sql.Composable = ALL) -> int:
    """Return how many rows lack their parent as the tables are now.

    Args:
        session: the session.
        key: the foreign key.
        which: a condition on the rows `c` of the child that are looked at.
    """
    return count_lacking(session, key, key.child_rows, which, lacks_parent(key, key.parent_rows))


def count_lacking(
    session: Session, key: ForeignKey, rows: sql.Composable, *conditions: sql.Composable
) -> int:
    """Return how many of some rows `c` of the child have a reference and fulfil some conditions."""
    either = sql.SQL(" OR " if key.match == MATCH_FULL else " AND ")
    parts = {
        "child": rows,
        "has_value": either.join(
            sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(column)) for column in key.columns
        ),
        "lacks_parent": sql.SQL(" AND ").join(conditions),
    }
    query = sql.SQL(load_query("common/postgres", "count_orphans")).format(**parts)
    return int(session.row(query)[0])


def has_parent(key: ForeignKey, parents: sql.Composable) -> sql.Composable:
    """Return the condition that a row `c` refers to one of some parents."""
    return sql.SQL("EXISTS (SELECT FROM {} p WHERE {})").format(parents, key.refers("c", "p"))


def lacks_parent(key: ForeignKey, parents: sql.Composable) -> sql.Composable:
    """Return the condition that a row `c` refers to none of some parents."""
    return sql.SQL("NOT {}").format(has_parent(key, parents))

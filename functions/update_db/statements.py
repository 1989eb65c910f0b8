"""The remap's statements, composed of the files in `queries` and of the users table's names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.queries import load_query


def statement(name: str, parts: Mapping[str, sql.Composable]) -> sql.Composed:
    """Return the statement in a file of `queries`."""
    return sql.SQL(load_query("update_db", name)).format(**parts)


@contextmanager
def planned_with(target: Session, **values: str) -> Iterator[None]:
    """Set settings of the planner for the statements of a with statement."""
    target.set_local(**values)
    yield
    for name in values:  # after an error the transaction is rolled back, and the settings with it
        target.execute(sql.SQL("SET LOCAL {} TO DEFAULT").format(sql.Identifier(name)))

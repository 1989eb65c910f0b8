"""The search path by which names in the bodies of the application's functions are found.

Whatever a statement does, PostgreSQL inlines the SQL functions that a table's indexes and
statistics call, and fails if it does not find what they name, for which our own search path is not
enough. So if a database has such functions, other schemas are searched too: after pg_catalog, which
our own statements need, and before the session's temporary tables. Queries that read definitions
from the catalog run with our own search path, so that names in these are qualified.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from common.postgres.connection.statements import Parameters, Query, Row
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.transaction_settings import SEARCH_PATH

FIRST, LAST = "pg_catalog", "pg_temp"
ROLES_OWN = None  # stands for our role's default search path


def find_names(session: Session, paths: Iterable[str]) -> None:
    """Let later statements of the transaction find what functions name.

    Args:
        session: in a transaction.
        paths: of the tables whose expressions call functions; see list_function_paths.sql.
    """
    distinct = tuple(dict.fromkeys(filter(None, paths)))
    if distinct and distinct != session.function_paths:
        session.function_paths = distinct
        session.search_path = _set(session, [FIRST, ROLES_OWN, *distinct, LAST])


@contextmanager
def names_of(session: Session, path: str) -> Iterator[None]:
    """Search one table's path before those of the others during a with statement that reads it.

    Like the functions below, it does not set the path back if the with statement fails: the
    transaction is rolled back then.
    """
    if not path or session.function_paths == (path,):
        yield
        return
    _set(session, [FIRST, ROLES_OWN, path, *session.function_paths, LAST])
    yield
    _set(session, [session.search_path])


@contextmanager
def names_for_definitions(session: Session, path: str) -> Iterator[None]:
    """Search one table's path during a with statement that runs a definition of the catalog's.

    An index's for example, of which the functions run.
    """
    _set(session, [FIRST, ROLES_OWN, path, *session.function_paths, LAST])
    yield
    _set(session, [session.search_path])


@contextmanager
def names_for_writing(session: Session, path: str = "") -> Iterator[None]:
    """Find names as the application's sessions do, during a with statement that writes to a table.

    The application's functions compute what is stored, so that the role's path determines the
    position of pg_catalog.
    """
    if not session.function_paths:
        with default_search_path(session):
            yield
        return
    _set(session, [ROLES_OWN, path, *session.function_paths, LAST])
    yield
    _set(session, [session.search_path])


@contextmanager
def default_search_path(session: Session) -> Iterator[None]:
    """Use the role's default search path during a with statement.

    The application's triggers, checks and index functions need it when they run; our own statements
    qualify every name.
    """
    session.execute("SET LOCAL search_path TO DEFAULT")
    yield
    session.execute(f"SET LOCAL search_path TO {session.search_path}")


@contextmanager
def only_our_names(session: Session) -> Iterator[None]:
    """Use our own search path, with which the catalog's definitions qualify all other names."""
    if session.search_path == SEARCH_PATH:
        yield
        return
    _set(session, [SEARCH_PATH])
    yield
    _set(session, [session.search_path])


def catalog_rows(session: Session, query: Query, parameters: Parameters = None) -> list[Row]:
    """Return the rows of a query of the catalog, run with our own search path."""
    with only_our_names(session):
        return session.rows(query, parameters)


def catalog_records[T](
    session: Session, query: Query, parameters: Parameters, make: Callable[..., T]
) -> list[T]:
    """Return the records of a query of the catalog, run with our own search path."""
    with only_our_names(session):
        return session.records(query, parameters, make)


def _set(session: Session, parts: list[str | None]) -> str:
    (path,) = session.row(load_query("common/postgres/settings", "set_search_path"), [parts])
    return str(path)

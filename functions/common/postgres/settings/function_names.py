"""Names in the bodies of the application's functions, which are found by the search path.

Whatever a statement is about, PostgreSQL takes the bodies of SQL functions in that a table's
indexes and statistics call, and fails where it does not find what they name. In our own search
path it would not. So where a database has such functions, other schemas are searched too: behind
pg_catalog, of which our statements are made, and before the session's temporary tables. What
reads definitions out of the catalog has our own path back, by which they are qualified.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from common.postgres.connection.statements import Parameters, Query, Row
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.transaction_settings import SEARCH_PATH

FIRST, LAST = "pg_catalog", "pg_temp"
ROLES_OWN = None  # the path that our role has by default


def find_names(session: Session, paths: Iterable[str]) -> None:
    """Let statements from here on in the transaction find what functions name.

    Args:
        session: in a transaction.
        paths: those of the tables whose expressions call functions, see list_function_paths.sql.
    """
    distinct = tuple(dict.fromkeys(filter(None, paths)))
    if distinct and distinct != session.function_paths:
        session.function_paths = distinct
        session.search_path = _set(session, [FIRST, ROLES_OWN, *distinct, LAST])


@contextmanager
def names_of(session: Session, path: str) -> Iterator[None]:
    """Let one table's functions find their names before those of others, to read the table.

    Nothing is set back where the body fails: the transaction is lost then. That is so of the
    others below too.
    """
    if not path or session.function_paths == (path,):
        yield
        return
    _set(session, [FIRST, ROLES_OWN, path, *session.function_paths, LAST])
    yield
    _set(session, [session.search_path])


@contextmanager
def names_for_definitions(session: Session, path: str) -> Iterator[None]:
    """Likewise, to define something, whose functions run, by a definition of the catalog's."""
    _set(session, [FIRST, ROLES_OWN, path, *session.function_paths, LAST])
    yield
    _set(session, [session.search_path])


@contextmanager
def names_for_writing(session: Session, path: str = "") -> Iterator[None]:
    """Let names be found as the application's own sessions find them, to write to a table.

    Its functions compute what is stored, so that pg_catalog stands where the role's path has it.
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
    """Find names as the application's sessions do; no path of a function is known.

    Its triggers, checks and index functions need that where they run; our own statements
    qualify every name.
    """
    session.execute("SET LOCAL search_path TO DEFAULT")
    yield
    session.execute(f"SET LOCAL search_path TO {session.search_path}")


@contextmanager
def only_our_names(session: Session) -> Iterator[None]:
    """Have our own search path, by which the catalog's definitions qualify all other names."""
    if session.search_path == SEARCH_PATH:
        yield
        return
    _set(session, [SEARCH_PATH])
    yield
    _set(session, [session.search_path])


def catalog_rows(session: Session, query: Query, parameters: Parameters = None) -> list[Row]:
    """Return the rows of a query of the catalog, by our own search path."""
    with only_our_names(session):
        return session.rows(query, parameters)


def catalog_records[T](
    session: Session, query: Query, parameters: Parameters, make: Callable[..., T]
) -> list[T]:
    """Return the records of a query of the catalog, by our own search path."""
    with only_our_names(session):
        return session.records(query, parameters, make)


def _set(session: Session, parts: list[str | None]) -> str:
    (path,) = session.row(load_query("common/postgres/settings", "set_search_path"), [parts])
    return str(path)

"""The one module that talks to the driver: sessions, and its errors named.

A session is in autocommit mode, so that transactions begin and end where the code says so.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, Protocol, Self, cast

import psycopg2
from psycopg2 import extensions, sql

from common.address import DatabaseAddress
from common.connection_failure import connection_error, diagnose
from common.database_errors import statement_error
from common.log import logger
from common.quiet import silent_stderr

type Query = str | sql.Composable
type Parameters = Sequence[Any] | Mapping[str, Any] | None
type Row = tuple[Any, ...]


class Writable(Protocol):
    """What COPY TO STDOUT writes to."""

    def write(self, data: bytes, /) -> object:
        """Write all of the bytes."""


class Readable(Protocol):
    """What COPY FROM STDIN reads."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


# libpq's, in seconds: a server that is gone without a word is noticed within a minute.
CONNECTION_PARAMETERS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # In milliseconds; keepalives are not sent while data waits to be acknowledged.
    "tcp_user_timeout": "300000",
}
# A parameter of the connection and not a setting, so that the driver knows of it too.
CLIENT_ENCODING = "UTF8"
# A rotation changes the password first and the secret some seconds later.
ROTATION = 60.0  # seconds
ROTATION_PAUSE = 2.0  # seconds
COPY_CHUNK = 65536  # bytes
APPLICATION_NAME = "staging-sync"

# Set by set_config and not as startup options, which RDS Proxy refuses; only the names that
# the server knows are set.
SESSION_SETTINGS = {
    # What a value's text depends on must be alike on both sides. Meanings:
    # https://www.postgresql.org/docs/current/runtime-config-client.html
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "search_path": "pg_catalog",
    "xmloption": "content",
    # A policy is an error and never a silent subset.
    "row_security": "off",
    # The role's own limits must not break a long run; ours are set per statement.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # The server notices within seconds that we were killed, and frees our locks.
    "client_connection_check_interval": "500ms",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    # Not less: it also ends a connection whose client is alive and does not read, as we do not
    # from production while staging is slow to take what came before.
    "tcp_user_timeout": "300s",
}


class Session:
    """One connection; every call names the driver's errors as ours."""

    def __init__(
        self, connection: extensions.connection, address: DatabaseAddress, role: str
    ) -> None:
        """Wrap an open connection; `role` is what it is to us: "source" or "target"."""
        self._connection = connection
        self.address = address
        self.role = role

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection; an open transaction is rolled back by that."""
        self._connection.close()

    @property
    def server_version(self) -> int:
        """The server's version as PostgreSQL numbers it, e.g. 150018."""
        return self._connection.server_version

    def quoted(self, query: Query) -> str:
        """Return a composed query as text."""
        return query if isinstance(query, str) else query.as_string(self._connection)

    def execute(self, query: Query, parameters: Parameters = None) -> int:
        """Run a statement and return how many rows it touched."""
        with self._named_errors(), self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.rowcount

    def rows(self, query: Query, parameters: Parameters = None) -> list[Row]:
        """Run a query whose result is small and return its rows."""
        with self._named_errors(), self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def row(self, query: Query, parameters: Parameters = None) -> Row:
        """Run a query that returns one row and return it."""
        (row,) = self.rows(query, parameters)
        return row

    def copy_out(self, query: Query, into: Writable) -> int:
        """Run `COPY … TO STDOUT`, write its bytes into a file, and return the rows."""
        with self._named_errors(), silent_stderr(), self._connection.cursor() as cursor:
            cursor.copy_expert(query, cast(IO[bytes], into))
            return cursor.rowcount

    def copy_in(self, query: Query, out_of: Readable) -> int:
        """Run `COPY … FROM STDIN` with a file's bytes and return the rows."""
        with self._named_errors(), silent_stderr(), self._connection.cursor() as cursor:
            cursor.copy_expert(query, cast(IO[bytes], out_of), size=COPY_CHUNK)
            return cursor.rowcount

    def cancel(self) -> None:
        """Ask the server to cancel what another thread runs on this connection, if there is any."""
        with suppress(psycopg2.Error):  # a lost connection runs nothing
            self._connection.cancel()

    @contextmanager
    def default_search_path(self) -> Iterator[None]:
        """Resolve names as the application does, for a with statement in a transaction.

        Its triggers, checks and index functions need that where they run; our own statements
        qualify every name. Nothing is set back where the body fails: the transaction is lost.
        """
        self.execute("SET LOCAL search_path TO DEFAULT")
        yield
        self.execute(f"SET LOCAL search_path TO {SESSION_SETTINGS['search_path']}")

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            where = f"the {self.role} database {self.address}"
            raise statement_error(error, where, is_source=self.role == "source") from error


def connect(
    address: DatabaseAddress, role: str, *, execution: str, read_only: bool = False
) -> Session:
    """Open a session with our settings.

    Args:
        address: which database.
        role: "source" or "target", for messages.
        execution: the execution's name; a DBA sees it in `application_name`.
        read_only: whether the session is READ ONLY from its first statement.

    Raises:
        ConfigurationError: the server refuses the credentials, for `ROTATION` where they can be
            read again; or it is not one to be trusted.
        DatabaseUnavailable: the server cannot be reached.
    """
    connection, address = _log_in(address, role)
    connection.autocommit = True
    session = Session(connection, address, role)
    if read_only:
        session.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    settings = {**SESSION_SETTINGS, "application_name": f"{APPLICATION_NAME} {execution}"}
    session.rows(
        "SELECT set_config(name, wanted.value, false)"
        " FROM unnest(%s, %s) AS wanted (name, value) JOIN pg_settings USING (name)",
        (list(settings), list(settings.values())),
    )
    return session


def _log_in(address: DatabaseAddress, role: str) -> tuple[extensions.connection, DatabaseAddress]:
    """Return an open connection, and the address that it is to, which may be a newer one."""
    give_up = time.monotonic() + ROTATION
    while True:
        parameters = {
            **CONNECTION_PARAMETERS,
            **address.parameters,
            "client_encoding": CLIENT_ENCODING,
        }
        dsn = extensions.make_dsn(**parameters)
        try:
            return psycopg2.connect(dsn), address
        except psycopg2.OperationalError as error:
            failure = diagnose(dsn)
            read_again = address.read_again if failure.is_authentication else None
            if read_again is None or time.monotonic() >= give_up:
                raise connection_error(failure, f"the {role} database {address}") from error
        logger.info("waiting for a secret that lets us in", database=role)
        time.sleep(ROTATION_PAUSE)
        address = read_again()

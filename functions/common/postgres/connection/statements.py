"""Running statements on an open connection: the one module that does so through the driver."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, Protocol, cast

import psycopg2
from psycopg2 import extensions, sql

from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.driver_errors import DriverErrors
from common.postgres.known_names import KnownNames
from common.postgres.locking.room import LockRoom
from common.postgres.queries import load_query

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


COPY_CHUNK = 65536  # bytes


class Connection:
    """An open connection, on which every call raises the driver's errors as ours.

    Statements run in transactions only: outside of one the role's own settings would apply.
    """

    def __init__(
        self, connection: extensions.connection, address: DatabaseAddress, role: str
    ) -> None:
        """Wrap the driver's connection."""
        self._connection = connection
        self._errors = DriverErrors(connection, address, role)

    @property
    def server_version(self) -> int:
        """The server's version as PostgreSQL numbers it, e.g. 150018."""
        return self._connection.server_version

    @property
    def server_encoding(self) -> str:
        """The database's encoding, as PostgreSQL names it, e.g. UTF8."""
        return str(self._connection.get_parameter_status("server_encoding"))

    @property
    def copy_encoding(self) -> str:
        """The encoding for COPY: UTF-8, or none if the database has none."""
        return "SQL_ASCII" if self.server_encoding == "SQL_ASCII" else "UTF8"

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open, as far as the driver knows."""
        return self._connection.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE

    def learn_names(self) -> None:
        """Read in a transaction what later errors may say, above all the names in the catalog.

        Some 100,000 names take a second.
        """
        names = self.rows(load_query("common/postgres", "list_names"))
        self._errors.known_names = KnownNames(frozenset(names))
        room = load_query("common/postgres/locking", "read_lock_room")
        (self._errors.lock_room,) = self.records(room, None, LockRoom)

    @property
    def lock_room(self) -> LockRoom:
        """How many locks the server has room for, as `learn_names` found it."""
        return self._errors.lock_room

    def quoted(self, query: Query) -> str:
        """Return a composed query as text."""
        return query if isinstance(query, str) else query.as_string(self._connection)

    def execute(self, query: Query, parameters: Parameters = None) -> int:
        """Run a statement and return how many rows it touched."""
        with self._cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.rowcount

    def rows(self, query: Query, parameters: Parameters = None) -> list[Row]:
        """Run a query whose result is small and return its rows."""
        with self._cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def row(self, query: Query, parameters: Parameters = None) -> Row:
        """Run a query that returns one row and return it."""
        (row,) = self.rows(query, parameters)
        return row

    def records[T](self, query: Query, parameters: Parameters, make: Callable[..., T]) -> list[T]:
        """Run a query whose result is small, and return an object for each row.

        Args:
            query: the query.
            parameters: its parameters, if any.
            make: makes it; called with the row's values, by the names of their columns.
        """
        with self._cursor() as cursor:
            cursor.execute(query, parameters)
            names = [column.name for column in cursor.description or ()]
            return [make(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

    def copy_out(self, query: Query, into: Writable) -> int:
        """Run `COPY … TO STDOUT`, write its bytes into a file, and return the rows."""
        with self._cursor() as cursor:
            cursor.copy_expert(query, cast(IO[bytes], into))
            return cursor.rowcount

    def copy_in(self, query: Query, out_of: Readable) -> int:
        """Run `COPY … FROM STDIN` with a file's bytes and return the rows."""
        with self._cursor() as cursor:
            cursor.copy_expert(query, cast(IO[bytes], out_of), size=COPY_CHUNK)
            return cursor.rowcount

    def cancel(self) -> None:
        """Ask the server to cancel the statement that another thread runs on this connection."""
        with suppress(psycopg2.Error):  # a lost connection runs nothing
            self._connection.cancel()

    def _cut(self) -> None:
        """Shut the connection's socket down, so that nobody waits for a server that is gone."""
        with (
            suppress(psycopg2.Error, OSError),
            socket.socket(fileno=os.dup(self._connection.fileno())) as ours,
        ):
            ours.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _cursor(self) -> Iterator[extensions.cursor]:
        if not self.is_in_transaction:
            raise RuntimeError("A statement was to run outside of a transaction.")
        with self._errors.named(), self._connection.cursor() as cursor:
            yield cursor

"""One database of an embedded server, used as a superuser by the sandbox and the tests."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2

from common.postgres.connection.address import DatabaseAddress
from common.postgres.target import MARKER
from sandbox.dumps import dump_contents, dump_schema
from sandbox.postgres import EmbeddedPostgres

type Parameters = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Database:
    """A database, and how the sandbox and the tests use it."""

    server: EmbeddedPostgres
    name: str

    @property
    def url(self) -> str:
        """A superuser's connection URL."""
        return self.server.url(self.name)

    @property
    def address(self) -> DatabaseAddress:
        """The same as an address, as staging-sync uses it."""
        return DatabaseAddress.of_url(self.url)

    def address_as(self, user: str) -> DatabaseAddress:
        """Return the address for another role."""
        return DatabaseAddress.of_url(self.server.url(self.name, user))

    def connect(self) -> Any:
        """Return a new psycopg2 connection, which the caller closes."""
        return psycopg2.connect(self.url)

    def execute(self, *statements: str) -> int:
        """Run statements, each in a transaction of its own; return the rows that they touched."""
        return self.server.execute(self.name, *statements)

    def rows(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
        with self._reading() as connection, connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def value(self, query: str) -> Any:
        """Return the one value that a query finds."""
        ((value,),) = self.rows(query)
        return value

    def mark(self) -> None:
        """Mark the database as a sync target."""
        self.execute(f"COMMENT ON DATABASE {self.name} IS '{MARKER}'")

    def schema(self) -> str:
        """Return the schema as a dump; see `dumps.dump_schema`."""
        with self._reading() as connection:
            return dump_schema(connection, self.server, self.name)

    def contents(self) -> str:
        """Return every row as a sorted dump; see `dumps.dump_contents`."""
        with self._reading() as connection:
            return dump_contents(connection)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Any]:
        """Yield a connection that is used to read, and end its transaction before it is closed.

        A server notices a moment later that a client is gone, and releases its locks only then.
        """
        with contextlib.closing(self.connect()) as connection:
            yield connection
            connection.rollback()

"""One database of an embedded server, used as a superuser by the sandbox and the tests."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2

from common.postgres.connection.address import DatabaseAddress
from common.postgres.target import MARKER
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
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
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
        """Return `pg_dump -s` and the states of triggers and rules, which it leaves out."""
        dump = self.server.run("pg_dump", "-s", "--restrict-key=test", self.name)
        states = self.rows(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
            " WHERE NOT tgisinternal UNION ALL SELECT ev_class::regclass::text, rulename,"
            " ev_enabled FROM pg_rewrite ORDER BY 1, 2"
        )
        return f"{dump}\n{states}"

    def contents(self) -> str:
        """Return every row of every table, sorted; shares no code with the engine.

        Without the sequences: last value 20 that was called, and 21 that was not, give the same
        next number. And without a setting that only newer versions of pg_dump write.
        """
        dump = self.server.run(
            "pg_dump", "-a", "--inserts", "--column-inserts", "--restrict-key=test", self.name
        )
        left_out = ("--", "SELECT pg_catalog.setval", "SET transaction_timeout")
        return "\n".join(
            sorted(line for line in dump.splitlines() if not line.startswith(left_out))
        )

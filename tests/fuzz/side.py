"""One of the two databases of a round."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2

from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.fuzz.oracle import State
from tests.fuzz.rounds import Statement

NUMBERS = itertools.count(1)
# A superuser can write without foreign keys and triggers.
PAST_KEYS = "RESET ROLE; SET session_replication_role = replica; {}"
OWNED = """
GRANT CREATE ON DATABASE {} TO fuzz_owner;
ALTER SCHEMA public OWNER TO fuzz_owner
"""


@dataclass(frozen=True, slots=True)
class Side:
    """A database, the test's connection to it, and the role that executes statements."""

    database: Database
    connection: Any
    role: str

    @classmethod
    @contextlib.contextmanager
    def made(cls, server: EmbeddedPostgres, role: str) -> Iterator["Side"]:
        """Create an empty database for the length of a with statement."""
        database = Database(server, f"fuzz_{next(NUMBERS)}")
        server.execute("postgres", f"CREATE DATABASE {database.name}")
        try:
            database.execute(OWNED.format(database.name))
            with contextlib.closing(database.connect()) as connection:
                connection.autocommit = True
                yield cls(database, connection, role)
        finally:
            server.execute("postgres", f"DROP DATABASE {database.name} WITH (FORCE)")

    def url(self, user: str) -> str:
        """Return the database's URL for a user."""
        return self.database.server.url(self.database.name, user)

    def execute(self, statement: Statement) -> bool:
        """Execute a statement in its own transaction; return whether it succeeded."""
        before = PAST_KEYS if statement.is_past_keys else f"SET ROLE {self.role}; {{}}"
        with self.connection.cursor() as cursor:
            try:
                cursor.execute(before.replace("{}", statement.sql))
            except psycopg2.Error:
                return False
            finally:
                cursor.execute("RESET ROLE; RESET session_replication_role")
        return True

    def see(self) -> State:
        """Return all rows and numbers."""
        return State.of(self.connection)

    def see_all(self) -> tuple[State, str]:
        """Return all rows and numbers, and the schema, which takes longer."""
        return self.see(), self.database.schema()

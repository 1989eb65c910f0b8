"""Databases for tests, created from templates so that hundreds of tests are fast."""

import contextlib
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from common.postgres.target import MARKER
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres, bundled_programs, temporary_server

NUMBERS = itertools.count(1)  # for the databases' names, on all servers
STRATEGIES_SINCE = 150000  # as in server_version
DEBIAN_PROGRAMS = Path("/usr/lib/postgresql")  # a folder in it for each major version


class Pair(NamedTuple):
    """Production and a marked staging database."""

    source: Database
    target: Database


class Databases:
    """Creates databases; a schema is created once and then copied."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._templates: dict[str, str] = {}
        self._made: list[str] = []
        self._connection = _connect(server)
        # Copying files takes less time than a copy through the WAL. Before version 15 there is no
        # other way, and no such option.
        has_strategies = self._connection.server_version >= STRATEGIES_SINCE
        self._strategy = "STRATEGY file_copy" if has_strategies else ""

    def make(self, schema: str = "", rows: str = "") -> Database:
        """Create a database with a schema and rows."""
        if schema not in self._templates:
            template = f"template_{len(self._templates)}"
            self._run(f"CREATE DATABASE {template} {self._strategy}")
            if schema:
                self._server.execute(template, schema)
            self._templates[schema] = template
        name = f"test_{next(NUMBERS)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._templates[schema]} {self._strategy}")
        self._made.append(name)
        database = Database(self._server, name)
        if rows:
            database.execute(rows)
        return database

    def pair(self, schema: str, source: str = "", target: str = "") -> Pair:
        """Create production and a marked staging with one schema, each with its rows."""
        pair = Pair(self.make(schema, source), self.make(schema, target))
        self._run(f"COMMENT ON DATABASE {pair.target.name} IS '{MARKER}'")
        return pair

    def pair_in(self, encoding: str, schema: str) -> Pair:
        """Create production and a marked staging with one schema in an encoding of their own."""
        made = []
        for _ in range(2):
            name = f"test_{next(NUMBERS)}"
            self._run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
            self._made.append(name)
            made.append(Database(self._server, name))
            made[-1].execute(schema)
        pair = Pair(*made)
        pair.target.mark()
        return pair

    @contextlib.contextmanager
    def on_server_of(self, version: int) -> Iterator["Databases"]:
        """Create databases on a server of another version, for the length of a with statement."""
        with temporary_server(version=version) as server:
            yield Databases(server)

    def drop_all(self) -> None:
        """Drop the databases that were created, even if sessions are still connected."""
        for name in self._made:
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.clear()

    def _run(self, statement: str) -> None:
        """Run a statement in a connection that is kept, since opening one takes as long."""
        if self._connection.closed:  # a test ended it
            self._connection = _connect(self._server)
        with self._connection.cursor() as cursor:
            cursor.execute(statement)


def _connect(server: EmbeddedPostgres) -> Any:
    """Return a connection whose statements commit at once."""
    connection = Database(server, "postgres").connect()
    connection.autocommit = True
    return connection


def system_programs() -> Path | None:
    """Return the folder of the system's PostgreSQL programs; None if it has none.

    Unlike the wheel's, they are built with ICU and libxml.
    """
    installed = sorted(DEBIAN_PROGRAMS.glob("*/bin"), key=_version, reverse=True)
    for folder in [*_folder_of_pg_config(), *installed]:
        # If only libpq's headers are installed, pg_config names a folder without a server.
        if (folder / "initdb").exists() and folder.resolve() not in bundled_programs():
            return folder
    return None


def _folder_of_pg_config() -> list[Path]:
    program = shutil.which("pg_config")
    if program is None:
        return []
    asked = [program, "--bindir"]
    said = subprocess.run(asked, check=False, capture_output=True, text=True)  # noqa: S603  # ours
    return [Path(said.stdout.strip())] if said.returncode == 0 else []


def _version(folder: Path) -> list[int]:
    return [int(number) for number in folder.parent.name.split(".")]

"""Two PostgreSQL servers with the settings of a small production server."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from sandbox.postgres import EmbeddedPostgres
from sandbox.signals import held

SETTINGS = {
    "shared_buffers": "512MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    # Not in the middle of a measurement: the benchmark vacuums between them.
    "autovacuum": "off",
    # PostgreSQL's defaults, as is the rest; a sandbox does without them.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
}
NAME = "bench"
MARK = f"COMMENT ON DATABASE {NAME} IS 'staging-sync target'"


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two servers, and its database."""

    postgres: EmbeddedPostgres

    def url(self, database: str = NAME) -> str:
        """Return a connection URL of a superuser."""
        return self.postgres.url(database)

    def execute(self, *statements: str, database: str = NAME) -> int:
        """Run statements, each in a transaction of its own; return the rows they touched."""
        with (
            contextlib.closing(psycopg2.connect(self.url(database))) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            touched = 0
            for statement in statements:
                cursor.execute(statement)
                touched += max(cursor.rowcount, 0)
            return touched

    def value(self, query: str) -> Any:
        """Return a query's one value."""
        with (
            contextlib.closing(psycopg2.connect(self.url())) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
            ((value,),) = cursor.fetchall()
            return value

    def run(self, program: str, *arguments: str) -> None:
        """Run a client program against this server.

        Raises:
            SandboxError: it failed; with what it said.
        """
        self.postgres.run(program, *arguments)


@dataclass(frozen=True, slots=True)
class Servers:
    """Production and staging, and a directory for what a peer writes in between."""

    source: Server
    target: Server
    scratch: Path


@contextlib.contextmanager
def running(bin_dir: Path | None) -> Iterator[Servers]:
    """Run both servers for the length of a with statement and leave nothing behind.

    Args:
        bin_dir: where initdb, postgres, pg_dump and the others lie; None: in the wheel.

    Raises:
        SandboxError: a server did not start; with what it said.
    """
    with (
        tempfile.TemporaryDirectory(prefix="staging-sync-bench-") as root,
        contextlib.ExitStack() as stopping,
    ):
        source, target = (
            _start(Path(root) / name, bin_dir, stopping) for name in ("source", "target")
        )
        target.execute(MARK)
        scratch = Path(root) / "scratch"
        scratch.mkdir()
        yield Servers(source, target, scratch)


def _start(directory: Path, bin_dir: Path | None, stopping: contextlib.ExitStack) -> Server:
    """Start a server with its empty database; it is stopped with `stopping`."""
    directory.mkdir()
    with held():
        postgres = EmbeddedPostgres(directory, bin_dir=bin_dir, settings=SETTINGS)
        stopping.callback(postgres.stop)
    server = Server(postgres)
    server.execute(f"CREATE DATABASE {NAME}", database="postgres")
    return server

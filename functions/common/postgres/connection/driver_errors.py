"""The driver's errors on one connection, raised as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions

from common.errors import ConfigurationError, StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.errors import statement_error
from common.postgres.known_names import KnownNames
from common.postgres.locking.room import LockRoom, is_full
from common.postgres.size_errors import OUT_OF_MEMORY, is_out_of_memory


class DriverErrors:
    """Turns the driver's errors on one connection into ours.

    Attributes:
        where: the database, for messages.
        known_names: the names that a message may repeat.
        lock_room: how many locks the server has room for.
    """

    def __init__(
        self, connection: extensions.connection, address: DatabaseAddress, role: str
    ) -> None:
        """Start without known names; see `Connection.learn_names`."""
        self._connection = connection
        self._role = role
        # The server reports it itself from PostgreSQL 14 on; a pooler may keep it back.
        self._is_standby = connection.info.parameter_status("in_hot_standby") == "on"
        self.where = f"the {role} database {address}"
        self.known_names = KnownNames()
        self.lock_room = LockRoom()

    @contextmanager
    def named(self) -> Iterator[None]:
        """Raise the driver's errors in a with statement as ours."""
        try:
            yield
        except (psycopg2.Error, MemoryError) as error:
            raise self._named(error) from error

    def _named(self, error: psycopg2.Error | MemoryError) -> StagingSyncError:
        said = self._connection.info.error_message
        if isinstance(error, MemoryError) or is_out_of_memory(error, said):
            self._connection.close()  # frees what was received of the row
            return ConfigurationError(f"{OUT_OF_MEMORY}: {self.where}.")
        if is_full(error):
            return self.lock_room.error(self._role, self.where)
        return statement_error(
            error,
            self.where,
            self.known_names,
            is_source=self._role == "source",
            is_standby=self._is_standby,
        )

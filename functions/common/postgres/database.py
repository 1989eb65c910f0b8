"""Sessions: connections, and the transactions on them.

Settings are made for one transaction at a time, never for the session: see `transaction_settings`.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from psycopg2 import errors, extensions, sql

from common.errors import ConfigurationError, StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.login import log_in
from common.postgres.connection.statements import Connection
from common.postgres.errors import READ_ONLY
from common.postgres.savepoint import Savepoint
from common.postgres.settings import transaction_settings
from common.postgres.settings.transaction_settings import READ_COMMITTED
from common.postgres.unraised_errors import drop_unraised_errors
from common.postgres.waits import WAITS, Waits, if_longer_than

ROLLBACK_LIMIT = 5.0  # seconds
APPLICATION_NAME = "staging-sync"


class Session(Connection):
    """One connection, and the transactions on it, one after the other."""

    def __init__(  # noqa: PLR0913 - what `connect` takes, all of it by keyword
        self,
        connection: extensions.connection,
        address: DatabaseAddress,
        role: str,
        *,
        execution: str = "",
        read_only: bool = False,
        waits: Waits = WAITS,
    ) -> None:
        """Wrap an open connection; see `connect`."""
        super().__init__(connection, address, role)
        self.address = address
        self.role = role
        self.waits = waits
        self._execution = execution
        self._read_only = read_only
        self._moment: float | None = None  # until which statements may run
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        """Reset what was set for the last transaction: the replication role, names and the like."""
        self.replication_role = "origin"
        self.silences_event_triggers = False
        self.search_path = transaction_settings.SEARCH_PATH
        self.function_paths: tuple[str, ...] = ()
        self.reads_section = False  # see `db_sync.planner.tables_themselves`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Roll back an open transaction, and close the connection.

        Closing would be enough for the server, but a pooler drops its server connection if a client
        disconnects in the middle of a transaction.
        """
        if self.is_in_transaction and not self._connection.closed:
            with if_longer_than(ROLLBACK_LIMIT, self._cut), suppress(StagingSyncError):
                self.rollback()
        self._connection.close()

    @property
    def application_name(self) -> str:
        """What a DBA sees in pg_stat_activity while a transaction is open."""
        return f"{APPLICATION_NAME} {self._execution}"

    def begin(self, isolation: str = READ_COMMITTED) -> None:
        """Begin a transaction with our settings, in one round trip that takes no snapshot.

        Raises:
            ConfigurationError: the session writes, and the server is a read replica.
        """
        self._forget_transaction()
        name = {"application_name": self.application_name}
        limits = {"statement_timeout": self._milliseconds_left()}
        statements = [
            transaction_settings.begin(self.server_version, isolation, read_only=self._read_only),
            transaction_settings.set_local({**name, **limits}),
        ]
        with self._errors.named(), self._connection.cursor() as cursor:
            try:
                cursor.execute(sql.SQL("; ").join(statements))
            except errors.FeatureNotSupported as error:  # of READ WRITE on a standby
                raise ConfigurationError(f"{READ_ONLY}: {self._errors.where}.") from error

    def commit(self) -> None:
        """Commit the transaction; its settings, locks and temporary tables end with it."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Roll the transaction back, if one is open."""
        if self.is_in_transaction:
            self.execute("ROLLBACK")

    @contextmanager
    def transaction(self, isolation: str = READ_COMMITTED) -> Iterator[None]:
        """Run a with statement in a transaction of its own, which is rolled back if it fails."""
        self.begin(isolation)
        try:
            yield
        except BaseException:
            with suppress(StagingSyncError):  # a lost connection has nothing to roll back
                self.rollback()
            raise
        self.commit()

    @contextmanager
    def savepoint(self, *, force_rollback: bool = False) -> Iterator[Savepoint]:
        """Set a savepoint for a with statement, and roll back to it if that fails.

        After an error of ours the transaction can go on; after any other exception it must be
        rolled back. Savepoints nest.

        Args:
            force_rollback: roll back even if the with statement succeeds: because it only tried
                something, or to release the locks that it took.
        """
        savepoint = Savepoint(self.execute)
        try:
            yield savepoint
        except StagingSyncError:
            with suppress(StagingSyncError):  # a lost connection has nothing to roll back
                savepoint.undo()
            raise
        if force_rollback:
            savepoint.undo()
        else:
            savepoint.release()

    def set_local(self, **values: str | int) -> None:
        """Set settings until the end of the transaction, or a rollback to the savepoint."""
        self.execute(transaction_settings.set_local(values))

    def limit_until(self, moment: float) -> None:
        """Limit all statements from now on: none runs beyond a moment of the monotonic clock."""
        self._moment = moment
        if self.is_in_transaction:
            self.lift_limit()

    def lift_limit(self) -> None:
        """Set the statements' limit back to the moment of `limit_until`."""
        self.set_local(statement_timeout=self._milliseconds_left())

    @property
    def seconds_left(self) -> float:
        """How long statements may run; infinity without a limit."""
        return math.inf if self._moment is None else self._moment - time.monotonic()

    def _milliseconds_left(self) -> int:
        """Return `seconds_left` as a value of statement_timeout, in which 0 means no limit."""
        left = self.seconds_left
        return 0 if math.isinf(left) else max(1, int(left * 1000))


def connect(
    address: DatabaseAddress,
    role: str,
    *,
    execution: str,
    read_only: bool = False,
    waits: Waits = WAITS,
) -> Session:
    """Open a session.

    Args:
        address: the database.
        role: "source" or "target", for messages.
        execution: the execution's name, which a DBA sees in `application_name` while a transaction
            is open.
        read_only: whether each of its transactions is READ ONLY from its first statement.
        waits: how long it waits for others.

    Raises:
        ConfigurationError: the server refuses the credentials, even after they were read again, or
            its certificate is not trusted.
        DatabaseUnavailable: the server cannot be reached.
    """
    drop_unraised_errors()
    connection, address = log_in(address, role, waits)
    connection.autocommit = True  # transactions begin and end where the code says so
    return Session(connection, address, role, execution=execution, read_only=read_only, waits=waits)

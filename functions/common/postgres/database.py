"""The one module that talks to the driver: sessions, and its errors named.

A session sets nothing but for its transactions, one by one; see `transaction_settings`.
"""

import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, Protocol, Self, cast

import psycopg2
from psycopg2 import errors, extensions, sql

from common.errors import ConfigurationError, StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.login import log_in
from common.postgres.errors import READ_ONLY, statement_error
from common.postgres.known_names import KnownNames
from common.postgres.locking.room import LockRoom, is_full
from common.postgres.settings import transaction_settings
from common.postgres.settings.transaction_settings import READ_COMMITTED
from common.postgres.size_errors import OUT_OF_MEMORY, is_out_of_memory
from common.postgres.unraised_errors import drop_unraised_errors
from common.postgres.waits import WAITS, Waits, if_longer_than

type Query = str | sql.Composable
type Parameters = Sequence[Any] | Mapping[str, Any] | None
type Row = tuple[Any, ...]


class Writable(Protocol):
    """What COPY TO STDOUT writes to."""

    def write(self, data: bytes, /) -> object:
        """Write all of the bytes."""


class Readable(Protocol):
    """What COPY FROM STDIN reads."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


COPY_CHUNK = 65536  # bytes
ROLLBACK_LIMIT = 5.0  # seconds
APPLICATION_NAME = "staging-sync"


class Session:
    """One connection; every call names the driver's errors as ours.

    Statements run in transactions only: outside of them the role's settings would hold.
    """

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
        self._connection = connection
        self.address = address
        self.role = role
        self.waits = waits
        self._execution = execution
        self._read_only = read_only
        # The server tells it by itself from PostgreSQL 14 on; a pooler may keep it back.
        self._is_standby = connection.info.parameter_status("in_hot_standby") == "on"
        self._moment: float | None = None  # until which statements may run
        self._names = KnownNames()
        self.lock_room = LockRoom()
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        """Know nothing of what the transaction before has set.

        See `replication_role` and `function_names`.
        """
        self.replication_role = "origin"
        self.silences_event_triggers = False
        self.search_path = transaction_settings.SEARCH_PATH
        self.function_paths: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Roll back what is open, and close the connection.

        Closing alone would do, but a pooler gives up its own connection where a client leaves in
        the middle of a transaction.
        """
        if self.is_in_transaction and not self._connection.closed:
            with if_longer_than(ROLLBACK_LIMIT, self._cut), suppress(StagingSyncError):
                self.rollback()
        self._connection.close()

    def _cut(self) -> None:
        """Cut the connection, so that nobody waits for a server that is gone."""
        with (
            suppress(psycopg2.Error, OSError),
            socket.socket(fileno=os.dup(self._connection.fileno())) as ours,
        ):
            ours.shutdown(socket.SHUT_RDWR)

    @property
    def application_name(self) -> str:
        """What a DBA sees while a transaction is open."""
        return f"{APPLICATION_NAME} {self._execution}"

    @property
    def server_version(self) -> int:
        """The server's version as PostgreSQL numbers it, e.g. 150018."""
        return self._connection.server_version

    @property
    def server_encoding(self) -> str:
        """The encoding of the database's texts, as PostgreSQL names it, e.g. UTF8."""
        return str(self._connection.get_parameter_status("server_encoding"))

    @property
    def copy_encoding(self) -> str:
        """The encoding for COPY: UTF-8, or bytes as they are where the database knows none."""
        return "SQL_ASCII" if self.server_encoding == "SQL_ASCII" else "UTF8"

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open, as far as the driver knows."""
        return self._connection.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE

    def begin(self, isolation: str = READ_COMMITTED) -> None:
        """Begin a transaction with our settings, in one round trip that takes no snapshot.

        Raises:
            ConfigurationError: it is to write, and the server is a read replica.
        """
        self._forget_transaction()
        name = {"application_name": self.application_name}
        limits = {"statement_timeout": self._milliseconds_left()}
        statements = [
            transaction_settings.begin(self.server_version, isolation, read_only=self._read_only),
            transaction_settings.set_local({**name, **limits}),
        ]
        with self._named_errors(), self._connection.cursor() as cursor:
            try:
                cursor.execute(sql.SQL("; ").join(statements))
            except errors.FeatureNotSupported as error:  # of READ WRITE on a standby
                raise ConfigurationError(f"{READ_ONLY}: {self._where}.") from error

    def commit(self) -> None:
        """Commit the transaction; its settings, locks and temporary tables end with it."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Roll the transaction back, if one is open."""
        if self.is_in_transaction:
            self.execute("ROLLBACK")

    @contextmanager
    def transaction(self, isolation: str = READ_COMMITTED) -> Iterator[None]:
        """Run a with statement in a transaction of its own, which is rolled back where it fails."""
        self.begin(isolation)
        try:
            yield
        except BaseException:
            with suppress(StagingSyncError):  # a lost connection has nothing to roll back
                self.rollback()
            raise
        self.commit()

    @contextmanager
    def savepoint(self, *, force_rollback: bool = False) -> Iterator["Savepoint"]:
        """Run a with statement after a savepoint, which is rolled back to if it fails.

        The transaction can go on then. This holds for errors of ours alone: after any other
        exception the transaction is lost. Savepoints nest.

        Args:
            force_rollback: roll back where it succeeds too: it only tried something, or the locks
                that it took are to be released.
        """
        savepoint = Savepoint(self)
        self.execute(Savepoint.SET)
        try:
            yield savepoint
        except StagingSyncError:
            with suppress(StagingSyncError):  # a lost connection has nothing to roll back
                self.execute(Savepoint.END)
            raise
        self.execute(Savepoint.END if force_rollback else Savepoint.RELEASE)

    def set_local(self, **values: str | int) -> None:
        """Set settings until the transaction ends, or the savepoint is rolled back to."""
        self.execute(transaction_settings.set_local(values))

    def limit_until(self, moment: float) -> None:
        """Let no statement from now on run beyond a moment of the monotonic clock."""
        self._moment = moment
        if self.is_in_transaction:
            self.lift_limit()

    def lift_limit(self) -> None:
        """Let statements run until the moment that `limit_until` was told."""
        self.set_local(statement_timeout=self._milliseconds_left())

    @property
    def seconds_left(self) -> float:
        """How long statements may run; without a limit infinity."""
        return math.inf if self._moment is None else self._moment - time.monotonic()

    def _milliseconds_left(self) -> int:
        """Return `seconds_left` as statement_timeout has it, where 0 is no limit."""
        left = self.seconds_left
        return 0 if math.isinf(left) else max(1, int(left * 1000))

    def learn_names(self) -> None:
        """Read what an error may say from here on, names above all, inside of a transaction."""
        self._names = KnownNames.of(self)
        self.lock_room = LockRoom.of(self)

    def quoted(self, query: Query) -> str:
        """Return a composed query as text."""
        return query if isinstance(query, str) else query.as_string(self._connection)

    def execute(self, query: Query, parameters: Parameters = None) -> int:
        """Run a statement and return how many rows it touched."""
        with self._cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.rowcount

    def rows(self, query: Query, parameters: Parameters = None) -> list[Row]:
        """Run a query whose result is small and return its rows."""
        with self._cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def row(self, query: Query, parameters: Parameters = None) -> Row:
        """Run a query that returns one row and return it."""
        (row,) = self.rows(query, parameters)
        return row

    def records[T](self, query: Query, parameters: Parameters, make: Callable[..., T]) -> list[T]:
        """Run a query whose result is small; return what `make` makes of each row.

        Args:
            query: the query.
            parameters: its parameters, if any.
            make: called with a row's values by the names of their columns, as a dataclass is.
        """
        with self._cursor() as cursor:
            cursor.execute(query, parameters)
            names = [column.name for column in cursor.description or ()]
            return [make(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

    def copy_out(self, query: Query, into: Writable) -> int:
        """Run `COPY … TO STDOUT`, write its bytes into a file, and return the rows."""
        with self._cursor() as cursor:
            cursor.copy_expert(query, cast(IO[bytes], into))
            return cursor.rowcount

    def copy_in(self, query: Query, out_of: Readable) -> int:
        """Run `COPY … FROM STDIN` with a file's bytes and return the rows."""
        with self._cursor() as cursor:
            cursor.copy_expert(query, cast(IO[bytes], out_of), size=COPY_CHUNK)
            return cursor.rowcount

    def cancel(self) -> None:
        """Ask the server to cancel what another thread runs on this connection, if there is any."""
        with suppress(psycopg2.Error):  # a lost connection runs nothing
            self._connection.cancel()

    @contextmanager
    def default_search_path(self) -> Iterator[None]:
        """Resolve names as the application does, for a with statement in a transaction.

        Its triggers, checks and index functions need that where they run; our own statements
        qualify every name. Nothing is set back where the body fails: the transaction is lost.
        """
        self.execute("SET LOCAL search_path TO DEFAULT")
        yield
        self.execute(f"SET LOCAL search_path TO {self.search_path}")

    @contextmanager
    def _cursor(self) -> Iterator[extensions.cursor]:
        if not self.is_in_transaction:
            raise RuntimeError("A statement was to run outside of a transaction.")
        with self._named_errors(), self._connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (psycopg2.Error, MemoryError) as error:
            raise self._named(error) from error

    def _named(self, error: psycopg2.Error | MemoryError) -> StagingSyncError:
        said = self._connection.info.error_message
        if isinstance(error, MemoryError) or is_out_of_memory(error, said):
            self._connection.close()  # with what it holds of the row: there must be room to go on
            return ConfigurationError(f"{OUT_OF_MEMORY}: {self._where}.")
        if is_full(error):
            return self.lock_room.error(self.role, self._where)
        return statement_error(
            error,
            self._where,
            self._names,
            is_source=self.role == "source",
            is_standby=self._is_standby,
        )

    @property
    def _where(self) -> str:
        return f"the {self.role} database {self.address}"


class Savepoint:
    """A point of a transaction that can be rolled back to as often as needed; see `Session`."""

    SET = "SAVEPOINT staging_sync"  # the latest of that name counts
    ROLL_BACK = "ROLLBACK TO SAVEPOINT staging_sync"
    RELEASE = "RELEASE SAVEPOINT staging_sync"
    END = f"{ROLL_BACK}; {RELEASE}"

    def __init__(self, session: Session) -> None:
        """Name the session; see `Session.savepoint`."""
        self._session = session

    def roll_back(self) -> None:
        """Undo what was done since, settings too, and release the locks taken since.

        The transaction's snapshot stays.
        """
        self._session.execute(self.ROLL_BACK)


def connect(
    address: DatabaseAddress,
    role: str,
    *,
    execution: str,
    read_only: bool = False,
    waits: Waits = WAITS,
) -> Session:
    """Open a session, which sets nothing yet.

    Args:
        address: which database.
        role: what it is to us, "source" or "target", for messages.
        execution: the execution's name; a DBA sees it in `application_name` while a transaction
            is open.
        read_only: whether each of its transactions is READ ONLY from its first statement.
        waits: how long it waits for others.

    Raises:
        ConfigurationError: the server refuses the credentials, after a while where they can be
            read again; or it is not one to be trusted.
        DatabaseUnavailable: the server cannot be reached.
    """
    drop_unraised_errors()
    connection, address = log_in(address, role, waits)
    connection.autocommit = True  # transactions begin and end where the code says so
    return Session(connection, address, role, execution=execution, read_only=read_only, waits=waits)

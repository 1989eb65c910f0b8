"""Copying rows from one database to the other, in bounded memory."""

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from common.errors import StagingSyncError
from common.postgres.connection.statements import Query, Writable
from common.postgres.database import Session
from common.postgres.spool import Spool

# Bytes that are written into a pipe at once: the driver writes row by row.
PIPE_BUFFER = 65536


@dataclass(frozen=True, slots=True)
class Transferred:
    """How much was copied: rows, and the bytes that COPY sent for them."""

    rows: int
    bytes: int


def transfer(source: Session, copy_out: Query, target: Session, copy_in: Query) -> Transferred:
    """Stream the rows of one COPY into another.

    They are connected by a pipe of the operating system, so that neither side is ahead of the other
    by more than the pipe holds (64 KiB on Linux).

    Raises:
        StagingSyncError: the error of the side that failed first. If the source's COPY breaks off,
            the target's fails too, so that a part of the rows is never taken for all of them.
    """
    sender, receiver = _start(source, copy_out)
    try:
        rows = target.copy_in(copy_in, receiver)
    except StagingSyncError:
        # Closed before the sender is joined: it may be waiting for room in the pipe.
        receiver.close()
        sender.join()
        if sender.error:
            raise sender.error from None
        raise
    finally:
        receiver.close()
        sender.join()
    return Transferred(rows, receiver.bytes)


@contextlib.contextmanager
def lines(session: Session, copy_out: Query) -> Iterator[Iterator[bytes]]:
    """Run a COPY in the background during a with statement, and yield its lines as they arrive.

    Lines that are not read yet wait in a spool and not in the connection: a server ends the
    connection of a client that does not read for minutes (tcp_user_timeout), as it would while it
    waits for the other server.

    Raises:
        StagingSyncError: the COPY failed; raised where the lines are read.
    """
    spool = Spool()
    copying = _Spooling(session, copy_out, spool)
    copying.start()
    try:
        yield _lines_of(copying, spool)
    except BaseException:
        session.cancel()  # the rest is not needed
        raise
    finally:
        copying.join()


def _lines_of(copying: "_Copying", spool: Spool) -> Iterator[bytes]:
    yield from spool.lines()
    if copying.error:
        raise copying.error


def _start(source: Session, copy_out: Query) -> tuple["_Sender", "_Receiver"]:
    """Start a COPY in the background; return both ends of the pipe that it fills."""
    read_end, write_end = os.pipe()
    sender = _Sender(source, copy_out, os.fdopen(write_end, "wb", PIPE_BUFFER))
    sender.start()
    return sender, _Receiver(os.fdopen(read_end, "rb"), sender)


class _Copying(threading.Thread):
    """Runs a COPY into a file, and keeps its error for the reader of the file."""

    def __init__(self, session: Session, copy_out: Query, into: Writable) -> None:
        super().__init__(name="copy-out", daemon=True)
        self._session = session
        self._copy_out = copy_out
        self._into = into
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._session.copy_out(self._copy_out, self._into)
        except BaseException as error:  # noqa: BLE001  # raised by the reader
            self.error = error


class _Spooling(_Copying):
    """Copies into a spool, and closes it at the end, failed or not."""

    def __init__(self, source: Session, copy_out: Query, spool: Spool) -> None:
        super().__init__(source, copy_out, spool)
        self._spool = spool

    def run(self) -> None:
        super().run()
        self._spool.close()


class _Sender(_Copying):
    """Copies into its end of a pipe, and closes it at the end, failed or not."""

    def __init__(self, source: Session, copy_out: Query, pipe: BinaryIO) -> None:
        super().__init__(source, copy_out, pipe)
        self._pipe = pipe

    def run(self) -> None:
        super().run()
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()  # what is still buffered is written first
        if isinstance(self.error, BrokenPipeError):
            self.error = None  # the target's COPY failed first, and its error counts


class _Receiver:
    """The other end of the pipe; if the sender failed, reading fails too instead of ending."""

    def __init__(self, pipe: io.BufferedReader, sender: _Sender) -> None:
        self._pipe = pipe
        self._sender = sender
        self.bytes = 0

    def read(self, size: int, /) -> bytes:
        chunk = self._pipe.read1(size)
        self.bytes += len(chunk)
        if not chunk:
            self._raise_senders_error()
        return chunk

    def _raise_senders_error(self) -> None:
        self._sender.join()
        if self._sender.error:
            raise self._sender.error

    def close(self) -> None:
        self._pipe.close()

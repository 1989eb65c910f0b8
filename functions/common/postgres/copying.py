"""Rows on their way from one database to the other, through bounded memory."""

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from common.errors import StagingSyncError
from common.postgres.connection.statements import Query, Writable
from common.postgres.database import Session
from common.postgres.spool import Spool


@dataclass(frozen=True, slots=True)
class Transferred:
    """What went through, in rows and in the bytes that COPY made of them."""

    rows: int
    bytes: int


def transfer(source: Session, copy_out: Query, target: Session, copy_in: Query) -> Transferred:
    """Stream the rows of one COPY into another.

    An operating system's pipe lies between them, so that neither side runs ahead of the other
    by more than the pipe holds (64 KiB on Linux).

    Raises:
        StagingSyncError: the error of the side that failed first. The target's COPY fails too
            where the source broke off, so that a part is never taken for the whole.
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
    """Run a COPY in the background and yield its lines as they come, for a with statement.

    Those that nobody has read yet wait in a spool and not in the connection: a server whose client
    does not read for minutes, because it waits for the other one, ends the connection
    (tcp_user_timeout).

    Raises:
        StagingSyncError: the COPY failed; raised where the lines are read.
    """
    spool = Spool()
    copying = _Spooling(session, copy_out, spool)
    copying.start()
    try:
        yield _lines_of(copying, spool)
    except BaseException:
        session.cancel()  # nobody waits for the rest
        raise
    finally:
        copying.join()


def _lines_of(copying: "_Copying", spool: Spool) -> Iterator[bytes]:
    yield from spool.lines()
    if copying.error:
        raise copying.error


def _start(source: Session, copy_out: Query) -> tuple["_Sender", "_Receiver"]:
    """Begin a COPY in the background; return both ends of the pipe that it fills."""
    read_end, write_end = os.pipe()
    sender = _Sender(source, copy_out, os.fdopen(write_end, "wb"))
    sender.start()
    return sender, _Receiver(os.fdopen(read_end, "rb"), sender)


class _Copying(threading.Thread):
    """Runs a COPY into a file; keeps its error, which is raised where the file is read."""

    def __init__(self, session: Session, copy_out: Query, into: Writable) -> None:
        super().__init__(name="copy-out", daemon=True)
        self._session = session
        self._copy_out = copy_out
        self._into = into
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._session.copy_out(self._copy_out, self._into)
        except BaseException as error:  # noqa: BLE001  # kept, and raised where it is read
            self.error = error


class _Spooling(_Copying):
    """Copies into a spool, and closes that when it ends, however."""

    def __init__(self, source: Session, copy_out: Query, spool: Spool) -> None:
        super().__init__(source, copy_out, spool)
        self._spool = spool

    def run(self) -> None:
        super().run()
        self._spool.close()


class _Sender(_Copying):
    """Copies into its end of a pipe, and closes that when it ends, however."""

    def __init__(self, source: Session, copy_out: Query, pipe: io.BufferedWriter) -> None:
        super().__init__(source, copy_out, pipe)
        self._pipe = pipe

    def run(self) -> None:
        super().run()
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()  # what is still buffered is written first
        if isinstance(self.error, BrokenPipeError):
            self.error = None  # the target failed and hung up; its error is the one that counts


class _Receiver:
    """The pipe's other end; reading fails, instead of ending, where the sender failed."""

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

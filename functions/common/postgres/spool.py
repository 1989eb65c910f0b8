"""Lines that one thread writes and another one reads; those not read yet are on the disk.

They are compressed, since Lambda's disk is small: a comparison stores 14 bytes of the 33 that a
server sent for each range by which it is ahead of the other server.
"""

import errno
import io
import tempfile
import zlib
from collections.abc import Iterator
from queue import SimpleQueue
from typing import IO

from common.errors import ConfigurationError

BLOCK = 4_000_000  # bytes; fewer are never written to the disk
FASTEST = 1  # a higher level saves a tenth, and takes six times as long
DISK_FULL = (
    "The disk of this process, where a comparison's lists wait, is full. Raise ephemeral_storage_mb"
    " (docs/deployment.md), or exclude the largest table"
)


class Spool:
    """Takes lines from one thread, and yields them once, to one other thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._block = bytearray()
        self._blocks: SimpleQueue[IO[bytes] | bytes | None] = SimpleQueue()

    def write(self, data: bytes, /) -> None:
        """Take complete lines.

        Raises:
            ConfigurationError: the disk is full.
        """
        self._block += data
        if len(self._block) >= BLOCK:
            try:
                self._blocks.put(_on_disk(self._block))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise ConfigurationError(f"{DISK_FULL}.") from error
            self._block.clear()

    def close(self) -> None:
        """End the lines."""
        self._blocks.put(bytes(self._block))
        self._blocks.put(None)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines as they arrive, until the spool is closed."""
        while (block := self._blocks.get()) is not None:
            yield from io.BytesIO(block if isinstance(block, bytes) else _taken_back(block))


def _on_disk(block: bytearray) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by its reader, or without one by the garbage collector
    file.write(zlib.compress(block, FASTEST))
    file.flush()
    return file


def _taken_back(file: IO[bytes]) -> bytes:
    with file:
        file.seek(0)
        return zlib.decompress(file.read())

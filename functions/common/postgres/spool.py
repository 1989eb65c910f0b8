"""Lines that one thread writes and another reads as they come; those that wait are on the disk.

Compressed there: of a comparison, 14 bytes wait for each range that one server is ahead of the
other, where 33 were sent. Lambda's disk is small.
"""

import errno
import io
import tempfile
import zlib
from collections.abc import Iterator
from queue import SimpleQueue
from typing import IO

from common.errors import ConfigurationError

BLOCK = 4_000_000  # bytes; fewer never reach the disk
FASTEST = 1  # a higher level makes them a tenth smaller, and takes six times as long
DISK_FULL = (
    "The disk of this process, where a comparison's lists wait, is full. Raise ephemeral_storage_mb"
    " (docs/deployment.md), or exclude the largest table"
)


class Spool:
    """What is written is read once, by one other thread, in blocks that end where a line ends."""

    def __init__(self) -> None:
        """Begin empty."""
        self._block = bytearray()
        self._blocks: SimpleQueue[IO[bytes] | bytes | None] = SimpleQueue()

    def write(self, data: bytes, /) -> None:
        """Take whole lines.

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
        """Say that there are no more."""
        self._blocks.put(bytes(self._block))
        self._blocks.put(None)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines as they come, until there are no more."""
        while (block := self._blocks.get()) is not None:
            yield from io.BytesIO(block if isinstance(block, bytes) else _taken_back(block))


def _on_disk(block: bytearray) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed where it is read, or when nobody reads it
    file.write(zlib.compress(block, FASTEST))
    file.flush()
    return file


def _taken_back(file: IO[bytes]) -> bytes:
    with file:
        file.seek(0)
        return zlib.decompress(file.read())

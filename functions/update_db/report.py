"""The remap's report: a line per user, and one per column that follows.

A thread compresses it while the server sends it.
"""

import gzip
import io
import tempfile
from collections import deque
from collections.abc import Buffer, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

from psycopg2 import sql

from common.postgres.database import Session
from update_db.masked_emails import Parts
from update_db.statements import statement

type SaveReport = Callable[[IO[bytes]], str]

COMPRESSION = 1  # level 9 would make it a tenth smaller, and take ten times as long
BLOCK = 1 << 17  # bytes; COPY writes one line at a time
BLOCKS_AHEAD = 8  # that wait to be compressed; with more, COPY waits too


def write_report(target: Session, followers: Mapping[str, int], save_report: SaveReport) -> str:
    """Write the report and return its address.

    It goes through a temporary file: it may not fit into memory.

    Args:
        target: the session in which the matches were decided.
        followers: how many rows follow, by the names of the columns that follow.
        save_report: called with the gzipped CSV report, and returns its address.
    """
    lines = [f"{name}: {rows} rows" for name, rows in followers.items()]
    parts: Parts = {"encoding": sql.Literal(target.copy_encoding), "followers": sql.Literal(lines)}
    copy = statement("write_report", parts)
    with tempfile.TemporaryFile() as file:
        with _Compressing(file) as zipped, io.BufferedWriter(zipped, BLOCK) as content:
            target.copy_out(copy, content)
        return save_report(file)


class _Compressing(io.RawIOBase):
    """A file that a thread compresses into another one; closing it waits for the thread."""

    def __init__(self, into: IO[bytes]) -> None:
        super().__init__()
        self._zipped = gzip.GzipFile(fileobj=into, mode="wb", compresslevel=COMPRESSION)
        self._thread = ThreadPoolExecutor(1, "compress")
        self._waiting: deque[Future[int]] = deque()

    def writable(self) -> bool:
        return True

    def write(self, block: Buffer, /) -> int:
        copied = bytes(block)
        self._waiting.append(self._thread.submit(self._zipped.write, copied))
        if len(self._waiting) > BLOCKS_AHEAD:
            self._waiting.popleft().result()
        return len(copied)

    def close(self) -> None:
        if self.closed:
            return
        try:
            self._thread.shutdown()
            for written in self._waiting:
                written.result()
            self._zipped.close()
        finally:
            super().close()

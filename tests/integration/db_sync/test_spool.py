"""Fingerprints that wait for the other server's take little room and keep their order."""

import errno
import os
import tempfile
from typing import IO, Any

import pytest

from common.errors import ConfigurationError
from common.postgres import spool
from common.postgres.copying import lines
from common.postgres.database import connect
from tests.support.databases import Databases
from tests.support.waiting import wait_until

# Like those of a comparison of 19 million rows: number, rows, hash, whether it is the total.
FINGERPRINTS = """
COPY (
    SELECT 5000000 + i, 60 + i % 5, hashint8extended(i, 1) & 9223372036854775807, false
    FROM generate_series(1, 300000) i
) TO STDOUT
"""


def test_waiting_lines_take_less_than_half_the_bytes_that_were_sent(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[IO[bytes]] = []

    def temporary_file() -> IO[bytes]:
        files.append(open_file())
        return files[-1]

    open_file: Any = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", temporary_file)
    with (
        connect(databases.make().address, "source", execution="test") as session,
        session.transaction(),
        lines(session, FINGERPRINTS) as found,
    ):
        wait_until(lambda: len(files) >= 2, "the first file is complete")
        on_disk = os.fstat(files[0].fileno()).st_size
        read = list(found)

    assert len(read) == 300_000
    assert [int(line.split()[0]) for line in read] == [5_000_000 + i for i in range(1, 300_001)]
    assert 0 < on_disk < spool.BLOCK / 2
    assert all(file.closed for file in files)


def test_the_error_for_a_full_disk_names_the_setting(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room() -> IO[bytes]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_room)

    with (
        pytest.raises(ConfigurationError, match="Raise ephemeral_storage_mb"),
        connect(databases.make().address, "source", execution="test") as session,
        session.transaction(),
        lines(session, FINGERPRINTS) as found,
    ):
        list(found)

"""The remap's report: compressed by a thread, whose errors reach who writes."""

import gzip
import io
from typing import IO, Any, cast

import pytest

from update_db.report import BLOCK, BLOCKS_AHEAD, write_report

LINE = b"somebody@example.com,unchanged,s-1,s-1,\n"
LINES = 3 * BLOCK * BLOCKS_AHEAD // len(LINE)


class Sending:
    """A session whose COPY sends lines."""

    copy_encoding = "UTF8"

    def copy_out(self, _: object, into: IO[bytes]) -> None:
        for _ in range(LINES):
            into.write(LINE)


def test_a_report_of_many_blocks_is_compressed_completely_and_in_order() -> None:
    written = []

    def save(file: IO[bytes]) -> str:
        file.seek(0)
        written.append(gzip.decompress(file.read()))
        return "address"

    assert write_report(cast("Any", Sending()), {}, save) == "address"
    assert written == [LINE * LINES]


def test_a_full_disk_is_an_error_and_nothing_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)

    with pytest.raises(OSError, match="No space left"):
        write_report(cast("Any", Sending()), {}, lambda _: pytest.fail("it was saved"))

"""What the driver prints instead of raising it quotes rows, and is dropped; nothing else is."""

import sys
import threading

import pytest

from common.errors import DatabaseUnavailable
from common.postgres.database import connect
from tests.support.databases import Databases

TABLE = """
CREATE TABLE t (id int, e text);
CREATE FUNCTION slow(text) RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(0.01); RETURN true; END';
ALTER TABLE t ADD CHECK (slow(e));
"""


class Rows:
    """Rows for COPY; says so on standard error when the first ones are read."""

    def __init__(self) -> None:
        self.are_read = threading.Event()
        self._left = 3000

    def read(self, _size: int, /) -> bytes:
        if not self.are_read.is_set():
            sys.stderr.write("rows are read\n")
            self.are_read.set()
        self._left -= 100
        return b"1\tana@example.com\n" * 100 * (self._left >= 0)


def test_a_session_that_the_server_ends_during_copy_prints_no_row(
    databases: Databases, capfd: pytest.CaptureFixture[str]
) -> None:
    there = databases.make(TABLE)
    rows = Rows()
    with connect(there.address, "target", execution="test") as session:
        session.begin()
        (pid,) = session.row("SELECT pg_backend_pid()")

        def end_the_session() -> None:
            rows.are_read.wait(30)
            there.rows("SELECT pg_sleep(0.1), pg_terminate_backend(%s)", [pid])

        ending = threading.Thread(target=end_the_session)
        ending.start()
        with pytest.raises(DatabaseUnavailable, match="The connection was lost"):
            session.copy_in("COPY public.t FROM STDIN", rows)
        ending.join()

    assert capfd.readouterr() == ("", "rows are read\n")


def test_an_exception_of_anybody_else_is_shown(
    databases: Databases, capfd: pytest.CaptureFixture[str]
) -> None:
    with connect(databases.make().address, "target", execution="test"):
        pass

    error = SystemError("a defect")
    sys.excepthook(SystemError, error, None)

    assert capfd.readouterr().err == "SystemError: a defect\n"

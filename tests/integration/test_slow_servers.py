"""A database that takes long to answer, as an Aurora that has scaled to zero, is waited for."""

import io
import json
import threading
from collections.abc import Callable, Iterator

import pytest

from common.log import logger
from common.postgres.connection.login import CONNECTION_PARAMETERS
from common.postgres.database import connect
from common.postgres.waits import Waits, log_wait
from db_sync.__main__ import main
from tests.integration.db_sync.proxy import Proxy
from tests.support.databases import Databases


def asleep(until: threading.Event) -> Callable[[bool, bytes], bool]:
    """Let nothing through before an event; never cut."""

    def watch(_from_client: bool, _data: bytes) -> bool:
        assert until.wait(CONNECTION_TIME)
        return False

    return watch


CONNECTION_TIME = int(CONNECTION_PARAMETERS["connect_timeout"])


def test_a_server_has_45_s_since_an_aurora_takes_15_and_more_to_wake() -> None:
    assert CONNECTION_TIME == 45


def test_a_server_that_wakes_up_is_waited_for_and_the_log_says_so(
    databases: Databases, logged: io.StringIO
) -> None:
    awake = threading.Event()

    def report(role: str, why: str) -> None:
        log_wait(role, why)
        awake.set()  # so it had to be told before the server answered

    there = databases.make()
    waits = Waits(login_notice=0.0, report=report)
    with (
        Proxy(there, asleep(awake)) as slow,
        connect(slow.before(there.address), "source", execution="test", waits=waits) as session,
    ):
        session.begin()
        assert session.row("SELECT 1") == (1,)

    (line,) = map(json.loads, logged.getvalue().splitlines())
    assert (line["message"], line["database"]) == ("waiting for a database", "source")


def test_a_server_that_answers_at_once_is_not_spoken_of(
    databases: Databases, logged: io.StringIO
) -> None:
    with connect(databases.make().address, "source", execution="test"):
        pass

    assert logged.getvalue() == ""


@pytest.fixture
def logs_again() -> Iterator[None]:
    """Let the logger speak again, which the command silences for its process."""
    level = logger.log_level
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("logs_again")
def test_the_command_says_it_on_standard_error(
    databases: Databases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONNECTION_PARAMETERS, "connect_timeout", "2")
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY)")
    never = threading.Event()
    with Proxy(pair.source, asleep(never)) as slow:
        address = slow.before(pair.source.address)
        port = address.parameters["port"]
        user, name = (address.parameters[part] for part in ("user", "dbname"))
        source = f"postgresql://{user}@127.0.0.1:{port}/{name}?sslmode=disable"
        code = main(["--source", source, "--target", pair.target.url], Waits(login_notice=0.0))
        never.set()

    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("Waiting for the source database to answer; it may be waking up.\n")
    assert "DatabaseUnavailable: " in said

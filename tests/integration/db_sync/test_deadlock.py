"""In a deadlock with the application, the sync releases its locks and starts again."""

import contextlib
import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from common.errors import TargetBusy
from common.postgres.waits import Retry, Waits
from db_sync.run import Progress, SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.db_sync.faults import waiting_for_locks
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

# Rows of t are merged; log is replaced, which blocks its readers in the end.
SCHEMA = """
CREATE TABLE t (id serial PRIMARY KEY, v text);
CREATE TABLE log (line text);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM t;
"""
PRODUCTION = "INSERT INTO t (v) VALUES ('a'), ('b'), ('c'); INSERT INTO log VALUES ('a line')"
STAGING = "INSERT INTO t (v) VALUES ('old'); INSERT INTO log VALUES ('old line')"
# What the application has done when a sync has its first locks. It then writes to a table that the
# sync has locked against writers; once the sync requests more locks, each waits for the other.
READS_A_TABLE = "SELECT * FROM log"
READS_A_VIEW = "SELECT * FROM counted"
TAKES_A_NUMBER = "SELECT nextval('t_id_seq')"
WRITES = "UPDATE t SET v = 'the application was here'"


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=PRODUCTION, target=STAGING)


class Application:
    """Does something in a transaction and then writes; once per call of `begin`."""

    def __init__(self, target: Database, pool: ThreadPoolExecutor, first: str) -> None:
        self.target = target
        self.pool = pool
        self.first = first
        self.writing = list[Future[None]]()
        self.connections = contextlib.ExitStack()

    def begin(self) -> None:
        """Begin a transaction, and write while the sync holds its locks, which has to wait."""
        connection = self.connections.enter_context(contextlib.closing(self.target.connect()))
        connection.cursor().execute(self.first)

        def write() -> None:
            connection.cursor().execute(WRITES)
            connection.commit()

        self.writing.append(self.pool.submit(write))
        wait_until(lambda: waiting_for_locks(self.target) == 1, "the application waits")

    def end(self) -> None:
        """Check that each transaction succeeded."""
        with self.connections:
            for writing in self.writing:
                writing.result(TIMEOUT)


def while_writing(times: int, action: Callable[[], None]) -> Progress:
    """Return a progress callback that does something in the first runs, once they hold locks."""
    left = [action] * times

    def show(phase: str, done: int, _total: int) -> None:
        if (phase, done) == ("fetch", 0) and left:
            left.pop()()

    return show


@pytest.mark.parametrize("first", [READS_A_TABLE, TAKES_A_NUMBER])
def test_in_a_deadlock_the_sync_releases_its_locks_and_then_finishes(
    pair: Pair, first: str
) -> None:
    waits = Waits(table_locks=Retry(2.0, pause=0.3))  # a deadlock is found without waiting
    with ThreadPoolExecutor() as pool:
        application = Application(pair.target, pool, first)
        progress = while_writing(1, application.begin)
        options = SyncOptions("test", progress=progress, waits=waits)

        result = sync_database(pair.source.address, pair.target.address, options)

        application.end()
    assert (result.status, result.verified) == ("synced", True)
    assert_same(pair)


def test_a_second_deadlock_ends_the_run_and_the_application_continues(
    pair: Pair, logged: io.StringIO
) -> None:
    with ThreadPoolExecutor() as pool:
        application = Application(pair.target, pool, READS_A_TABLE)
        options = SyncOptions("test", progress=while_writing(2, application.begin))

        with pytest.raises(TargetBusy, match="waited for each other") as busy:
            sync_database(pair.source.address, pair.target.address, options)

        application.end()
    assert "(user postgres) holds AccessShareLock on public.log" in str(busy.value)
    assert "Let them finish" not in str(busy.value)
    assert "waiting for locks" not in logged.getvalue()  # waiting could not help
    assert pair.target.rows("SELECT v FROM t") == [("the application was here",)]
    assert pair.target.rows("SELECT line FROM log") == [("old line",)]


def test_a_view_whose_refresh_would_deadlock_is_skipped_and_the_sync_continues(
    pair: Pair,
) -> None:
    waits = Waits(table_locks=Retry(1000.0, pause=0.3))  # in which both would only wait
    pair.target.execute("TRUNCATE log; DROP TABLE log")
    pair.source.execute("DROP TABLE log")
    with ThreadPoolExecutor() as pool:
        application = Application(pair.target, pool, READS_A_VIEW)
        progress = while_writing(1, application.begin)
        options = SyncOptions("test", progress=progress, waits=waits)

        result = sync_database(pair.source.address, pair.target.address, options)

        application.end()
    (warning,) = result.warnings
    assert "public.counted was not refreshed" in warning
    assert "waited for each other" in warning

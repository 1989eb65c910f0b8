"""The target's lock, held by the parts of one execution together and by nobody else."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from common.errors import StagingSyncError, SyncInProgress
from common.manifest import Manifest
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from common.postgres.target import lock_target, lock_writing, share_target
from common.postgres.waits import Retry, Waits
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.support.databases import Databases, Pair
from tests.support.pooler import pooler_before
from update_db.remap import RemapOptions, remap_users
from update_db.users_table import UsersTable

AT_ONCE = Waits(run_lock=Retry(0.0, pause=0.05))
PATIENT = Waits(run_lock=Retry(20.0, pause=0.02))
SCHEMA = "CREATE TABLE t (id int PRIMARY KEY)"


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, "INSERT INTO t VALUES (1)")


@pytest.fixture(params=["direct", "pooled"])
def target(
    request: pytest.FixtureRequest, server: EmbeddedPostgres, pair: Pair
) -> Iterator[DatabaseAddress]:
    """The target, by itself and behind a transaction pooler."""
    if request.param == "direct":
        yield pair.target.address
        return
    with pooler_before(server, pool_size=4, limit=5) as pooler:
        yield pooler.address(pair.target)


@contextlib.contextmanager
def in_transaction(
    target: DatabaseAddress, execution: str, waits: Waits = AT_ONCE
) -> Iterator[Session]:
    with connect(target, "target", execution=execution, waits=waits) as session:
        session.begin()
        yield session


@contextlib.contextmanager
def sharing(target: DatabaseAddress, execution: str, waits: Waits = AT_ONCE) -> Iterator[Session]:
    """Share the lock for the length of a with statement."""
    with in_transaction(target, execution, waits) as session:
        share_target(session, execution)
        yield session


def locks_of(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))


def test_the_parts_of_one_execution_share_the_lock(target: DatabaseAddress, pair: Pair) -> None:
    with sharing(target, "monday"):
        of_one = locks_of(pair.target)
        with sharing(target, "monday"), sharing(target, "monday"):
            assert locks_of(pair.target) == 3 * of_one > 0


def test_another_execution_is_refused_and_told_who_shares_it(target: DatabaseAddress) -> None:
    with (
        sharing(target, "monday"),
        in_transaction(target, "tuesday") as other,
        pytest.raises(SyncInProgress, match=r"^Execution monday \(backend \d+\) holds the lock"),
    ):
        share_target(other, "tuesday")


def test_an_execution_that_was_refused_keeps_nobody_away(
    target: DatabaseAddress, pair: Pair
) -> None:
    with sharing(target, "monday"), in_transaction(target, "tuesday") as other:
        with pytest.raises(SyncInProgress):
            share_target(other, "tuesday")
        with sharing(target, "monday"):
            pass
        before = locks_of(pair.target)
        other.rollback()
        assert locks_of(pair.target) == before


def test_a_sync_is_refused_and_told_who_shares_it(target: DatabaseAddress, pair: Pair) -> None:
    options = SyncOptions("nightly", waits=AT_ONCE)
    with (
        sharing(target, "monday"),
        pytest.raises(SyncInProgress, match=r"^Execution monday \(backend"),
    ):
        sync_database(pair.source.address, target, options)

    sync_database(pair.source.address, target, options)
    assert pair.target.rows("TABLE t") == [(1,)]


def test_a_remap_is_refused_and_told_who_shares_it(target: DatabaseAddress, pair: Pair) -> None:
    pair.target.execute("CREATE TABLE users (id int PRIMARY KEY, email text, sub text)")
    options = RemapOptions("nightly", UsersTable.of("public.users", "email", "sub"), waits=AT_ONCE)

    def remap() -> None:
        remap_users(target, options, lambda _: Manifest((), 0, 0), lambda _: "s3://report")

    with (
        sharing(target, "monday"),
        pytest.raises(SyncInProgress, match=r"^Execution monday \(backend"),
    ):
        remap()
    remap()


def test_a_run_that_has_the_lock_alone_refuses_parts(target: DatabaseAddress) -> None:
    with (
        in_transaction(target, "nightly") as run,
        in_transaction(target, "monday") as part,
    ):
        lock_target(run)
        with pytest.raises(SyncInProgress, match=r"^Execution nightly \(backend"):
            share_target(part, "monday")


def test_a_run_that_still_writes_without_the_lock_refuses_parts(target: DatabaseAddress) -> None:
    with (
        in_transaction(target, "nightly") as run,
        in_transaction(target, "monday") as part,
    ):
        lock_writing(run)
        with pytest.raises(SyncInProgress, match=r"^Execution nightly \(backend"):
            share_target(part, "monday")


def test_a_part_that_waits_goes_on_when_the_other_run_ends(target: DatabaseAddress) -> None:
    got_it = threading.Event()

    def wait() -> None:
        with sharing(target, "tuesday", PATIENT):
            got_it.set()

    thread = threading.Thread(target=wait)
    with sharing(target, "monday"):
        thread.start()
        assert not got_it.wait(0.3)
    assert got_it.wait(10)
    thread.join()


def test_of_executions_that_start_at_the_same_moment_one_at_a_time_goes_on(pair: Pair) -> None:
    names = ("monday", "tuesday", "wednesday")
    start = threading.Barrier(len(names), timeout=30)
    inside: list[str] = []
    together: list[set[str]] = []
    failures: list[StagingSyncError] = []

    def run(execution: str) -> None:
        for _ in range(15):
            with in_transaction(pair.target.address, execution, PATIENT) as session:
                start.wait()
                try:
                    share_target(session, execution)
                except StagingSyncError as error:
                    failures.append(error)
                inside.append(execution)
                time.sleep(0.01)
                together.append(set(inside))
                inside.remove(execution)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [executions for executions in together if len(executions) > 1] == []
    assert len(together) == 45


def test_behind_a_pooler_no_lock_is_left(server: EmbeddedPostgres, pair: Pair) -> None:
    with pooler_before(server, pool_size=3) as pooler:
        target = pooler.address(pair.target)
        with (
            sharing(target, "monday"),
            in_transaction(target, "tuesday") as other,
            pytest.raises(SyncInProgress),
        ):
            share_target(other, "tuesday")

        assert locks_of(pair.target) == 0

"""A savepoint: what fails after it is undone, and the transaction goes on."""

from collections.abc import Iterator

import pytest

from common.errors import DatabaseUnavailable, SchemaMismatch
from common.postgres.database import Session, connect
from sandbox.database import Database
from tests.support.databases import Databases

INSERT = "INSERT INTO public.t VALUES (%s)"
OUR_PID = "SELECT pg_backend_pid()"
LOCK = "LOCK TABLE public.t IN EXCLUSIVE MODE"
HELD = "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 't'::regclass"


@pytest.fixture
def database(databases: Databases) -> Database:
    return databases.make("CREATE TABLE t (id int PRIMARY KEY)")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with connect(database.address, "target", execution="test") as opened:
        opened.begin()
        yield opened


def ids(session: Session) -> list[int]:
    return [number for (number,) in session.rows("SELECT id FROM public.t ORDER BY id")]


def test_what_succeeds_after_a_savepoint_stays(session: Session) -> None:
    with session.savepoint():
        session.execute(INSERT, [1])
        session.set_local(work_mem="5MB")

    assert ids(session) == [1]
    assert session.row("SHOW work_mem") == ("5MB",)


def test_what_fails_after_a_savepoint_is_undone_and_the_transaction_goes_on(
    session: Session,
) -> None:
    @session.savepoint()
    def insert(*numbers: int) -> None:
        session.set_local(work_mem="5MB")
        for number in numbers:
            session.execute(INSERT, [number])

    session.execute(INSERT, [1])
    with pytest.raises(SchemaMismatch):
        insert(2, 1)

    assert ids(session) == [1]
    assert session.row("SHOW work_mem") != ("5MB",)


def test_what_is_only_tried_is_undone_though_it_succeeds(session: Session) -> None:
    with session.savepoint(force_rollback=True):
        session.execute(INSERT, [1])

    assert ids(session) == []


def test_savepoints_nest(session: Session) -> None:
    with session.savepoint():
        session.execute(INSERT, [1])
        with pytest.raises(SchemaMismatch), session.savepoint():
            session.execute(INSERT, [1])
        with session.savepoint(force_rollback=True):
            session.execute(INSERT, [2])
        with session.savepoint():
            session.execute(INSERT, [3])

    assert ids(session) == [1, 3]


def test_locks_taken_after_a_savepoint_are_released_as_often_as_asked(
    session: Session, database: Database
) -> None:
    with session.savepoint(force_rollback=True) as savepoint:
        for _ in range(2):
            session.execute(LOCK)
            assert database.value(HELD) == 1
            savepoint.roll_back()
            assert database.value(HELD) == 0
        session.execute(LOCK)

    assert database.value(HELD) == 0


def test_the_error_of_a_connection_that_is_lost_after_a_savepoint_is_its_own(
    session: Session, database: Database
) -> None:
    @session.savepoint()
    def lose_the_connection() -> None:
        database.rows("SELECT pg_terminate_backend(%s, 10000)", session.row(OUR_PID))
        session.execute(INSERT, [1])

    # Of what comes after it, the driver says InterfaceError.
    with pytest.raises(DatabaseUnavailable, match="OperationalError"):
        lose_the_connection()

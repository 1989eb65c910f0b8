"""Who holds a lock is named, and nothing is repeated that people write into names of their own."""

import contextlib
from collections.abc import Iterator

import psycopg2
import pytest

from common.errors import SyncInProgress, TargetBusy
from common.postgres import target
from common.postgres.database import connect
from common.postgres.locking import locks
from common.postgres.names import Name
from common.postgres.waits import Retry, Waits
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.support.databases import Databases

ADDRESS = "jane@example.com"
TABLE = Name("public", "t")
LOCK_TABLE = "LOCK TABLE t IN EXCLUSIVE MODE"
AT_ONCE = Waits(table_locks=Retry(0.0, pause=0.0), run_lock=Retry(0.0, pause=0.0))
LOCK_TARGET = f"SELECT pg_advisory_xact_lock({target.LOCK_KEY})"


@pytest.fixture(scope="module", params=[16, 18])
def preparing(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """The maker of databases on a server that takes prepared transactions."""
    settings = {"max_prepared_transactions": "5"}
    with temporary_server(version=request.param, settings=settings) as server:
        server.execute("postgres", "CREATE ROLE app SUPERUSER LOGIN")
        yield Databases(server)


@pytest.fixture
def database(preparing: Databases) -> Iterator[Database]:
    made = preparing.make("CREATE TABLE t (id int)")
    yield made
    for (gid,) in made.rows("SELECT gid FROM pg_prepared_xacts"):
        made.execute(f"ROLLBACK PREPARED '{gid}'")
    preparing.drop_all()


@contextlib.contextmanager
def holding(database: Database, statement: str, application: str) -> Iterator[int]:
    """Hold the locks of a statement as the role `app`; give the backend's pid."""
    url = database.server.url(database.name, "app")
    with contextlib.closing(psycopg2.connect(url, application_name=application)) as connection:
        connection.cursor().execute(statement)
        yield connection.info.backend_pid


def refused_table(database: Database) -> str:
    """Ask for the table's lock in vain; return what is said."""
    with connect(database.address, "target", execution="test", waits=AT_ONCE) as session:
        session.begin()
        with pytest.raises(TargetBusy) as caught:
            locks.lock_tables(session, [TABLE], locks.EXCLUSIVE)
    return str(caught.value)


def refused_target(database: Database) -> str:
    """Ask for the target's lock in vain; return what is said."""
    with connect(database.address, "target", execution="test", waits=AT_ONCE) as session:
        session.begin()
        with pytest.raises(SyncInProgress) as caught:
            target.lock_target(session)
    return str(caught.value)


def test_a_stranger_is_named_by_backend_and_user(database: Database) -> None:
    with holding(database, LOCK_TABLE, ADDRESS) as pid:
        said = refused_table(database)

    assert f"backend {pid} (user app) holds ExclusiveLock on public.t" in said
    assert ADDRESS not in said


def test_a_run_of_ours_is_named_by_its_execution(database: Database) -> None:
    with holding(database, LOCK_TABLE, "staging-sync nightly-7") as pid:
        said = refused_table(database)

    assert f"backend {pid} (staging-sync nightly-7) holds" in said


def test_a_stranger_who_holds_the_targets_lock_is_named_by_backend_and_user(
    database: Database,
) -> None:
    with holding(database, LOCK_TARGET, ADDRESS) as pid:
        said = refused_target(database)

    assert said.startswith(f"No run of staging-sync, but backend {pid} (user app), holds the lock")
    assert ADDRESS not in said


def prepare(database: Database, statement: str, gid: str) -> str:
    """Leave a prepared transaction that holds locks; return its id."""
    with holding(database, f"{statement}; PREPARE TRANSACTION '{gid}'", ADDRESS):
        pass
    return str(database.value("SELECT transaction::text FROM pg_prepared_xacts"))


@pytest.mark.parametrize("gid", [ADDRESS, "not staging-sync"])
def test_a_prepared_transaction_is_named_by_id_and_owner(database: Database, gid: str) -> None:
    xid = prepare(database, LOCK_TABLE, gid)

    said = refused_table(database)

    assert f"the prepared transaction {xid} (owner app; COMMIT PREPARED or ROLLBACK" in said
    assert "holds ExclusiveLock on public.t" in said
    assert gid not in said


def test_a_prepared_transaction_of_ours_is_named_by_its_gid_too(database: Database) -> None:
    xid = prepare(database, LOCK_TABLE, "staging-sync-7")

    assert f"the prepared transaction {xid} (staging-sync-7, owner app" in refused_table(database)


def test_a_prepared_transaction_that_holds_the_targets_lock_is_named(database: Database) -> None:
    xid = prepare(database, LOCK_TARGET, ADDRESS)

    said = refused_target(database)

    assert f"but the prepared transaction {xid} (owner app" in said
    assert ADDRESS not in said


def test_a_holder_that_came_while_we_waited_for_an_earlier_one_is_named_too(
    database: Database,
) -> None:
    with connect(database.address, "target", execution="test", waits=AT_ONCE) as session:
        session.begin()
        for execution in ("first", "second"):
            with (
                holding(database, LOCK_TARGET, f"staging-sync {execution}") as pid,
                pytest.raises(SyncInProgress, match=rf"Execution {execution} \(backend {pid}\)"),
            ):
                target.lock_target(session)

"""One moment of production in several sessions, also when the first one is gone."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from common.errors import DatabaseUnavailable, SchemaMismatch, StagingSyncError
from common.postgres.database import Session, connect
from common.postgres.names import Name
from common.postgres.waits import Retry, Waits
from db_sync.parts.board import End, Kept
from db_sync.parts.shared_snapshot import (
    SnapshotLost,
    begin_at,
    begin_kept,
    export,
    lock_first,
    mark_alive,
)
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.integration.db_sync.standby import standby_of
from tests.support.board import MemoryBoard
from tests.support.databases import Databases
from tests.support.waiting import wait_until

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY)"
ROWS = "INSERT INTO t SELECT generate_series(1, 10)"
TABLES = [Name("public", "t")]
COUNT = "SELECT count(*) FROM public.t"
NOT_AT_ALL = Retry(0.0, pause=0.01)
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND NOT granted"
LOST = r"^The snapshot \S+ \(epoch 1\) is lost: .*several servers"


@pytest.fixture
def production(databases: Databases) -> Database:
    return databases.make(SCHEMA, ROWS)


@contextlib.contextmanager
def session(production: Database, waits: Waits | None = None) -> Iterator[Session]:
    with connect(
        production.address, "source", execution="parts", read_only=True, waits=waits or Waits()
    ) as opened:
        yield opened


def keep(source: Session) -> Kept:
    """Hold the source's snapshot as a keeper does."""
    kept = Kept(export(source), 1, "2026-01-01T00:00:00+00:00", 0.0)
    mark_alive(source, kept)
    return kept


def take(source: Session) -> Kept:
    """Take a new snapshot as a keeper does."""
    lock_first(source, TABLES, has_policies=False)
    return keep(source)


def count(source: Session) -> int:
    (rows,) = source.row(COUNT)
    return int(rows)


def hand_on(production: Database, changed: Database) -> None:
    """Check that a moment lives on in a third session, after the first one has ended."""
    with session(production) as third:
        with session(production) as second:
            with session(production) as first:
                kept = take(first)
                changed.execute("DELETE FROM t WHERE id > 3")
                begin_at(second, kept, TABLES, has_policies=False)
                again = keep(second)
            changed.execute("INSERT INTO t VALUES (100)")
            begin_at(third, again, TABLES, has_policies=False)
        changed.execute("INSERT INTO t VALUES (101)")
        assert count(third) == 10
    assert changed.value(COUNT) == 5


@pytest.mark.parametrize("version", [16, 18])
def test_a_moment_is_handed_on_when_its_first_session_is_gone(
    databases: Databases, version: int
) -> None:
    with databases.on_server_of(version) as others:
        production = others.make(SCHEMA, ROWS)
        hand_on(production, production)


def test_a_moment_is_handed_on_by_the_systems_postgresql(system_databases: Databases) -> None:
    production = system_databases.make(SCHEMA, ROWS)
    hand_on(production, production)


@pytest.mark.parametrize("version", [16, 18])
def test_a_moment_is_handed_on_by_a_standby_and_lost_like_any_other(version: int) -> None:
    with temporary_server(version=version) as primary, standby_of(primary) as standby:
        made = Databases(primary).make(SCHEMA, ROWS)
        primary.execute("postgres", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
        production = standby.database(made.name)
        hand_on(production, made)
        loses_what_its_session_has_let_go(standby.database(made.name))


def loses_what_its_session_has_let_go(production: Database) -> None:
    with session(production) as first, session(production) as second:
        kept = take(first)
        first.rollback()
        with pytest.raises(SnapshotLost, match=LOST):
            begin_at(second, kept, TABLES, has_policies=False)
        with second.transaction():  # it is usable
            assert count(second) >= 0


@pytest.mark.parametrize("version", [16, 18])
def test_a_snapshot_whose_session_has_ended_is_lost(databases: Databases, version: int) -> None:
    with databases.on_server_of(version) as others:
        loses_what_its_session_has_let_go(others.make(SCHEMA, ROWS))


def test_a_snapshot_whose_session_has_ended_is_lost_on_the_systems_postgresql(
    system_databases: Databases,
) -> None:
    loses_what_its_session_has_let_go(system_databases.make(SCHEMA, ROWS))


def test_somebody_elses_snapshot_that_has_the_id_of_a_lost_one_is_not_taken_for_it(
    production: Database,
) -> None:
    """After a restart ids begin anew, and pg_dump exports snapshots too."""
    with production.connect() as dump, session(production) as part:
        dump.set_session(isolation_level="REPEATABLE READ")
        with dump.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            ((snapshot,),) = cursor.fetchall()
        with pytest.raises(SnapshotLost):
            begin_at(part, Kept(snapshot, 1, "", 0.0), TABLES, has_policies=False)


def test_an_older_epochs_snapshot_is_not_taken_for_one_that_has_the_same_id(
    production: Database,
) -> None:
    with session(production) as keeper, session(production) as part:
        kept = take(keeper)
        with pytest.raises(SnapshotLost):
            begin_at(part, Kept(kept.snapshot, 2, "", 0.0), TABLES, has_policies=False)


def test_a_table_truncated_while_a_part_waits_for_its_lock_is_never_read_as_empty(
    production: Database,
) -> None:
    """TRUNCATE waits for the keeper, the part behind it, and then the keeper is gone."""
    with session(production) as keeper, session(production) as part:
        kept = take(keeper)
        truncating = threading.Thread(target=lambda: production.execute("TRUNCATE t"))
        truncating.start()
        wait_until(lambda: production.value(WAITING) == 1, "TRUNCATE waits")
        ending = threading.Thread(target=lambda: end_when(production, keeper))
        ending.start()
        with pytest.raises(SnapshotLost):
            begin_at(part, kept, TABLES, has_policies=False)
        truncating.join()
        ending.join()
    assert production.value(COUNT) == 0


def end_when(production: Database, keeper: Session) -> None:
    """End the keeper's transaction as soon as the part waits for its lock."""
    wait_until(lambda: production.value(WAITING) == 2, "the part waits too")
    keeper.rollback()


def test_a_part_that_a_waiting_migration_keeps_from_its_lock_gives_up_with_an_error_to_retry(
    production: Database,
) -> None:
    waits = Waits(source_locks=Retry(0.1, pause=0.01))
    with session(production) as keeper, session(production, waits) as part:
        kept = take(keeper)
        migration = production.connect()
        waiting = threading.Thread(target=lambda: wait_for_lock(migration))
        waiting.start()
        wait_until(lambda: production.value(WAITING) == 1, "the migration waits")
        with pytest.raises(DatabaseUnavailable, match="could not be locked"):
            begin_at(part, kept, TABLES, has_policies=False)
        keeper.rollback()
        waiting.join()
        migration.close()


def wait_for_lock(migration: object) -> None:
    with migration.cursor() as cursor:  # type: ignore[attr-defined]  # psycopg2's connection
        cursor.execute("LOCK TABLE t")


def test_a_table_that_is_gone_is_an_error_that_says_so(production: Database) -> None:
    with (
        session(production) as keeper,
        pytest.raises(SchemaMismatch, match="was dropped or renamed since"),
    ):
        lock_first(keeper, [Name("public", "gone")], has_policies=False)


def test_a_part_takes_the_keepers_snapshot_that_is_alive_whatever_the_other_wrote(
    production: Database,
) -> None:
    board = MemoryBoard()
    board.keep("a", Kept("00000009-00000009-1", 1, "", 9e9))
    with session(production) as keeper, session(production) as part:
        kept = take(keeper)
        board.keep("b", kept)

        found = begin_kept(part, board, TABLES, has_policies=False, wait=NOT_AT_ALL)

    assert found == kept


def test_a_part_waits_for_a_keeper_that_comes_later(production: Database) -> None:
    board = MemoryBoard()
    board.write_end(End(1, failed=True))
    with session(production) as keeper, session(production) as part:
        lock_first(keeper, TABLES, has_policies=False)
        kept = Kept(export(keeper), 2, "", 0.0)
        mark_alive(keeper, kept)
        threading.Timer(0.2, lambda: board.keep("a", kept)).start()

        found = begin_kept(part, board, TABLES, has_policies=False, wait=Retry(20, pause=0.02))

        assert found == kept
        assert count(part) == 10


@pytest.mark.parametrize(
    ("kept", "end", "said"),
    [
        (None, None, "is held by no keeper"),
        (Kept("x", 1, "", 9e9), End(1, failed=True), "is held by no keeper"),
        (Kept("00000009-00000009-1", 1, "", 9e9), None, r"is lost \(epoch 1\): .*several servers"),
    ],
)
def test_without_a_snapshot_that_is_alive_a_part_gives_up_after_a_while(
    production: Database, kept: Kept | None, end: End | None, said: str
) -> None:
    board = MemoryBoard()
    if kept:
        board.keep("a", kept)
    if end:
        board.write_end(end)

    with session(production) as part, pytest.raises(StagingSyncError, match=said) as caught:
        begin_kept(part, board, TABLES, has_policies=False, wait=Retry(0.1, pause=0.02))

    assert type(caught.value) is DatabaseUnavailable, "the state machine's name for a retry"


def test_a_part_that_waits_is_not_ended_by_its_roles_limit_for_idle_sessions(
    production: Database,
) -> None:
    production.execute(f"ALTER DATABASE {production.name} SET idle_session_timeout = '500ms'")
    board = MemoryBoard()
    with session(production) as keeper, session(production) as part:
        kept = take(keeper)
        threading.Timer(1.0, lambda: board.keep("a", kept)).start()

        begin_kept(part, board, TABLES, has_policies=False, wait=Retry(20, pause=1.2))

        assert count(part) == 10


def test_a_part_reads_through_policies_that_show_every_row_if_there_are_some(
    production: Database,
) -> None:
    with session(production) as keeper, session(production) as part:
        kept = take(keeper)
        seen: list[str] = []
        for has_policies in (False, True):
            begin_at(part, kept, TABLES, has_policies=has_policies)
            seen += part.row("SHOW row_security")
            part.rollback()

    assert seen == ["off", "on"]

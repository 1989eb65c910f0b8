"""The application uses staging while a sync runs: what waits, and which rows it finds then."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from common.errors import TargetBusy
from common.postgres.waits import Retry, Waits
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.db_sync.faults import (
    PRODUCTION,
    SCHEMA,
    at_first,
    different_pair,
    either_role,
    state,
    sync_while_others_wait,
    target_as,
    waits,
)
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

AT_ONCE = "SET lock_timeout = '10ms';"
SHORT = Waits(table_locks=Retry(0.5, pause=0.3))


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return different_pair(databases)


@either_role
def test_only_writes_to_tables_that_are_written_wait_and_only_from_then_on(
    pair: Pair, role: str
) -> None:
    tables = ("parent", "child", "log", "same")
    waiting: dict[str, set[str]] = {}

    def write(phase: str, _done: int, _total: int) -> None:
        waiting.setdefault(phase, set()).update(
            table
            for table in tables
            if has_to_wait(pair.target, f"LOCK {table} IN ROW EXCLUSIVE MODE")
        )

    sync_database(pair.source.address, target_as(pair, role), SyncOptions("test", progress=write))

    written = {"parent", "child", "log"}
    assert waiting["compare"] == set()
    assert waiting["fetch"] == waiting["copy"] == waiting["delete"] == waiting["write"] == written


@either_role
def test_nothing_waits_and_nothing_is_waited_for_where_nothing_differs(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(SCHEMA, source=PRODUCTION, target=PRODUCTION)
    target = target_as(pair, role)
    waiting: list[bool] = []

    def write(_phase: str, _done: int, _total: int) -> None:
        waiting.extend(
            has_to_wait(pair.target, f"UPDATE {table} SET id = id")
            for table in ("parent", "child", "same")
        )

    options = SyncOptions("test", progress=write, waits=SHORT)
    with contextlib.closing(pair.target.connect()) as application:
        application.cursor().execute("DELETE FROM log")
        result = sync_database(pair.source.address, target, options)

    assert result.status == "unchanged"
    assert waiting
    assert not any(waiting)


@either_role
def test_select_for_update_waits_too(pair: Pair, role: str) -> None:
    take_a_job = "SELECT FROM child WHERE id = 7 FOR UPDATE; UPDATE child SET v = 'mine'"

    errors = sync_while_others_wait(pair, target_as(pair, role), pair.target, [take_a_job])

    assert errors == [None]
    assert pair.target.rows("SELECT DISTINCT v FROM child") == [("mine",)]


def has_to_wait(database: Database, statement: str) -> bool:
    try:
        database.execute(AT_ONCE + statement)
    except psycopg2.errors.LockNotAvailable:
        return True
    return False


@either_role
def test_a_write_that_waited_is_checked_against_the_new_rows(pair: Pair, role: str) -> None:
    orphaned, added, updated = sync_while_others_wait(
        pair,
        target_as(pair, role),
        pair.target,
        [
            "INSERT INTO child (id, parent_id, v) VALUES (5000, 900, 'its parent was deleted')",
            "INSERT INTO child (id, parent_id, v) VALUES (5001, 300, 'its parent was added')",
            "UPDATE child SET v = 'by the application' WHERE id = 7",
        ],
    )

    assert isinstance(orphaned, psycopg2.errors.ForeignKeyViolation)
    assert (added, updated) == (None, None)
    assert pair.target.rows("SELECT id, v FROM child WHERE id > 4999 OR id = 7 ORDER BY id") == [
        (7, "by the application"),
        (5001, "its parent was added"),
    ]


@either_role
def test_a_new_child_in_an_unsynced_table_is_checked_too(pair: Pair, role: str) -> None:
    pair.target.execute("DELETE FROM child WHERE parent_id = 900")

    (orphaned,) = sync_while_others_wait(
        pair,
        target_as(pair, role),
        pair.target,
        ["INSERT INTO child (parent_id, v) VALUES (900, 'its parent was deleted')"],
        SyncRules.parse('{"exclude": ["public.child"]}'),
    )

    assert isinstance(orphaned, psycopg2.errors.ForeignKeyViolation)


@either_role
@pytest.mark.parametrize("phase", ["compare", "fetch"])
def test_the_application_cannot_delete_a_parent_whose_new_child_the_sync_writes(
    databases: Databases, role: str, phase: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
        source="INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 2)",
        target="INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (2, 2)",
    )
    rules = SyncRules.parse('{"exclude": ["public.parent"]}')
    with contextlib.closing(pair.target.connect()) as application:

        def delete() -> None:
            with contextlib.suppress(psycopg2.errors.LockNotAvailable):
                application.cursor().execute(AT_ONCE + "DELETE FROM parent WHERE id = 1")

        options = SyncOptions("test", rules, progress=at_first(delete, phase), waits=SHORT)
        with contextlib.suppress(TargetBusy):  # the deletion came first
            sync_database(pair.source.address, target_as(pair, role), options)
        application.commit()

    orphans = "SELECT count(*) FROM child WHERE parent_id NOT IN (SELECT id FROM parent)"
    assert pair.target.value(orphans) == 0


@either_role
def test_readers_of_staging_see_its_old_rows_without_waiting(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
        source="INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 2)",
        target="INSERT INTO parent VALUES (1), (3); INSERT INTO child VALUES (3, 3)",
    )
    read_both = AT_ONCE + "SELECT c.id, p.id FROM child c JOIN parent p ON p.id = c.parent_id"
    seen: list[list[tuple[int, int]]] = []

    def read(_phase: str, _done: int, _total: int) -> None:
        seen.append(pair.target.rows(read_both))

    result = sync_database(
        pair.source.address, target_as(pair, role), SyncOptions("test", progress=read)
    )

    assert [table.action for table in result.tables] == ["merge", "merge"]
    assert len(seen) >= 6
    assert all(rows == [(3, 3)] for rows in seen)
    assert_same(pair)


@either_role
def test_the_sync_waits_for_a_lock_and_then_compares_what_its_holder_wrote(
    pair: Pair, role: str
) -> None:
    target = target_as(pair, role)
    with ThreadPoolExecutor(1) as pool, contextlib.closing(pair.target.connect()) as application:
        application.cursor().execute("UPDATE parent SET v = 'late' WHERE id = 1")
        running = pool.submit(sync_database, pair.source.address, target, SyncOptions("test"))
        wait_until(lambda: "relation" in waits(pair.target), "the sync waits")
        wait_until(lambda: "relation" not in waits(pair.target), "it pauses between attempts")
        application.commit()
        running.result(TIMEOUT)

    assert_same(pair)


@either_role
def test_a_reader_that_blocks_a_replacement_is_named(pair: Pair, role: str) -> None:
    target = target_as(pair, role)
    before = state(pair.target)

    with ThreadPoolExecutor(1) as pool, contextlib.closing(pair.target.connect()) as reader:
        reader.cursor().execute("SET application_name = 'report'; SELECT count(*) FROM log")
        holder = (
            f"backend {reader.info.backend_pid} .user postgres. holds AccessShareLock on public.log"
        )
        options = SyncOptions("test", waits=SHORT)
        running = pool.submit(sync_database, pair.source.address, target, options)
        with pytest.raises(TargetBusy, match=holder):
            running.result(TIMEOUT)

    assert state(pair.target) == before


def test_a_reader_that_blocks_the_disabling_of_a_rule_is_named(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old');"
        "CREATE RULE tell AS ON INSERT TO t DO ALSO NOTIFY rows",
        source="UPDATE t SET v = 'new'",
    )
    target = target_as(pair, "owner")

    with contextlib.closing(pair.target.connect()) as reader:
        reader.cursor().execute("TABLE t")
        holder = f"backend {reader.info.backend_pid} .* holds AccessShareLock on public.t"
        with pytest.raises(TargetBusy, match=holder):
            sync_database(pair.source.address, target, SyncOptions("test", waits=SHORT))

"""Planning on the source: what is read and locked, and when; large objects are only counted."""

import contextlib
import threading
from contextlib import AbstractContextManager
from typing import Any

import psycopg2
import pytest
from psycopg2 import extensions

from common.errors import DatabaseUnavailable, TargetBusy
from common.postgres.database import Session, connect
from common.postgres.waits import Retry, Waits
from db_sync.plan import snapshot
from db_sync.plan.catalog import Catalogs
from db_sync.plan.planning import make_plan
from db_sync.plan.tables import Plan
from db_sync.rules import SyncRules
from db_sync.run import Run, SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
ROWS = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 10) i"


def sync_while_production_runs(pair: Pair, statements: str) -> None:
    """Sync, with a transaction of production that is committed when the sync waits for it."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    with contextlib.closing(pair.source.connect()) as production:
        production.cursor().execute(statements)

        def commit() -> None:
            wait_until(lambda: pair.source.value(waiting), "the sync waits for the table t")
            production.commit()

        committing = threading.Thread(target=commit)
        committing.start()
        sync(pair)
        committing.join()


@pytest.mark.parametrize("dry_run", [True, False])
def test_large_objects_are_counted_and_reported_and_not_copied(
    databases: Databases, dry_run: bool
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, image oid)")
    pair.source.execute("INSERT INTO t SELECT i, lo_create(0) FROM generate_series(1, 3) i")
    pair.target.execute("SELECT lo_create(0)")

    result = sync(pair, dry_run=dry_run)

    assert result.warnings == (
        "The source has 3 large objects and the target 1. They are not copied, so an oid in a"
        " copied row may refer to one that the target lacks.",
    )
    assert pair.target.value("SELECT count(*) FROM pg_largeobject_metadata") == 1


def test_large_objects_that_only_the_target_has_cause_no_warning(databases: Databases) -> None:
    pair = databases.pair(TABLE, target="SELECT lo_create(0)")

    assert sync(pair).warnings == ()


def test_production_cannot_truncate_or_rewrite_a_table_once_the_snapshot_is_taken(
    databases: Databases,
) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    refused: list[str] = []

    def meddle(phase: str, done: int, _total: int) -> None:
        if (phase, done) != ("compare", 0):
            return
        for statement in ("TRUNCATE t", "ALTER TABLE t ALTER v TYPE varchar(20)"):
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                pair.source.execute(f"SET lock_timeout = '50ms'; {statement}")
            refused.append(statement)

    sync_database(pair.source.address, pair.target.address, SyncOptions("test", progress=meddle))

    assert len(refused) == 2
    assert_same(pair)


def test_a_migration_that_ends_while_its_lock_is_waited_for_is_planned_for(
    databases: Databases,
) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    pair.target.execute("ALTER TABLE t ADD late int")

    sync_while_production_runs(pair, "ALTER TABLE t ADD late int; UPDATE t SET late = id")

    assert_same(pair)
    assert pair.target.value("SELECT count(late) FROM t") == 10


def test_a_truncation_that_ends_while_its_lock_is_waited_for_is_seen(
    databases: Databases,
) -> None:
    pair = databases.pair(TABLE, source=ROWS, target=ROWS)

    sync_while_production_runs(pair, "TRUNCATE t; INSERT INTO t VALUES (1, 'anew')")

    assert pair.target.rows("TABLE t") == [(1, "anew")]


def run_after_planning(pair: Pair, statements: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a statement in production after each planning, before the tables are locked."""

    def plan_and_migrate(catalogs: Catalogs, rules: SyncRules, **options: Any) -> Plan:
        plan = make_plan(catalogs, rules, **options)
        if statements and (statement := statements.pop(0)):
            pair.source.execute(statement)
        return plan

    monkeypatch.setattr(snapshot, "make_plan", plan_and_migrate)


@pytest.mark.parametrize("migration", ["DROP TABLE gone", "ALTER TABLE gone RENAME TO kept"])
def test_a_table_that_is_dropped_before_it_is_locked_is_planned_for(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, migration: str
) -> None:
    pair = databases.pair(TABLE + "; CREATE TABLE gone (id int)", source=ROWS)
    run_after_planning(pair, [migration], monkeypatch)

    result = sync(pair)

    assert "Table public.gone is not synced: it exists in the target only." in result.warnings
    assert pair.target.value("SELECT count(*) FROM t") == 10


def test_a_schema_that_keeps_changing_is_refused(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    changes = [f"ALTER TABLE t ADD c{number} int" for number in range(5)]
    # Every other planning has the tables locked, so that no migration could run.
    run_after_planning(pair, [each for change in changes for each in (change, "")], monkeypatch)

    with pytest.raises(TargetBusy, match="changes while it is read"):
        sync(pair)


@pytest.mark.parametrize(("dry_run", "limit"), [(True, 70), (False, 70)])
def test_planning_needs_as_many_round_trips_for_fifty_tables_as_for_five(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, dry_run: bool, limit: int
) -> None:
    # Else the catalogs are read once or twice, as others happen to write to the server or not.
    monkeypatch.setattr(snapshot, "read_snapshot", lambda _: "")
    trips: list[Session] = []
    original = Session._cursor

    def counted(session: Session) -> AbstractContextManager[extensions.cursor]:
        trips.append(session)
        return original(session)

    monkeypatch.setattr(Session, "_cursor", counted)

    def count_of(tables: int) -> int:
        types = "CREATE TYPE mood AS ENUM ('sad', 'ok'{});"
        schema = "".join(
            f"CREATE TABLE t{number} (id serial PRIMARY KEY, v int REFERENCES t{number}, m mood,"
            f" w varchar({number + 3})); CREATE TABLE p{number} (id int) PARTITION BY LIST (id);"
            f"CREATE TABLE p{number}_1 PARTITION OF p{number} DEFAULT;"
            for number in range(tables)
        )
        pair = Pair(
            databases.make("", types.format(", 'new'") + schema),
            databases.make("", types.format("") + schema),
        )
        trips.clear()
        with (
            connect(pair.source.address, "source", execution="test", read_only=True) as source,
            connect(pair.target.address, "target", execution="test") as target,
        ):
            run = Run(source, target, SyncOptions("test", dry_run=dry_run))
            found = snapshot.open_snapshots(run)
        assert len(found.plan.tables) == tables * 2
        return len(trips)

    assert count_of(5) == count_of(50)
    assert len(trips) < limit


def test_a_migration_of_production_that_does_not_end_is_waited_for_briefly(
    databases: Databases,
) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    with connect(pair.source.address, "source", execution="migration") as migration:
        migration.begin()
        migration.execute("LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(DatabaseUnavailable, match=r"source database .* could not be locked"):
            sync(pair, waits=Waits(source_locks=Retry(0.1, pause=0.3)))

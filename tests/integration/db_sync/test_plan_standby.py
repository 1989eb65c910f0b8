"""A source that is a read replica, with a real one."""

import threading
from collections.abc import Iterator

import pytest

from common.errors import ConfigurationError, DatabaseUnavailable, TargetNotAllowed
from common.postgres.database import connect
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from db_sync.plan.snapshot import read_first
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.integration.db_sync.standby import Standby, standby_of
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

SCHEMA = """
CREATE TABLE t (id serial PRIMARY KEY, v text);
CREATE TABLE many (id int PRIMARY KEY, v text)
"""
# A session that the replica ends has no SQLSTATE of its own; a statement that it ends has 40001.
ADVICE = r"a read replica.*max_standby_streaming_delay.*hot_standby_feedback.*SQLSTATE (40001|08)"
ROWS = """
INSERT INTO t (v) SELECT 'row ' || i FROM generate_series(1, 10) i;
INSERT INTO many SELECT i, 'row ' || i FROM generate_series(1, 100) i
"""


@pytest.fixture(scope="module")
def standby() -> Iterator[Standby]:
    """A standby; its primary is `standby.primary`."""
    with temporary_server() as primary, standby_of(primary) as running:
        yield running


@pytest.fixture(scope="module")
def on_primary(standby: Standby) -> Databases:
    """The maker of the primary's databases."""
    return Databases(standby.primary)


@pytest.fixture
def production(on_primary: Databases) -> Iterator[Database]:
    """A database of the primary, which the standby replays."""
    yield on_primary.make(SCHEMA, ROWS)
    on_primary.drop_all()


def pair_of(standby: Standby, production: Database, databases: Databases, schema: str) -> Pair:
    """Return the standby as source, and a marked target elsewhere."""
    pair = Pair(standby.database(production.name), databases.make(schema))
    pair.target.mark()
    return pair


def test_a_replica_is_a_source_like_any_other(
    standby: Standby, production: Database, databases: Databases
) -> None:
    pair = pair_of(standby, production, databases, SCHEMA)

    result = sync(pair)

    assert_same(pair)
    assert (result.status, result.warnings) == ("synced", ())
    assert sync(pair).status == "unchanged"
    # A replica's sequences run ahead of its primary's, by as many numbers as a WAL record covers.
    assert 10 < pair.target.value("SELECT nextval('t_id_seq')") < 50


def test_a_replica_whose_transactions_are_serializable_by_default_is_a_source_too(
    standby: Standby, production: Database, databases: Databases
) -> None:
    brought = ("isolation = 'serializable'", "deferrable = on", "read_only = off")
    for setting in brought:
        production.execute(f"ALTER DATABASE {production.name} SET default_transaction_{setting}")
    pair = pair_of(standby, production, databases, SCHEMA)

    results = [sync(pair) for _ in range(2)]

    assert [result.status for result in results] == ["synced", "unchanged"]
    assert pair.target.rows("TABLE many") == production.rows("TABLE many")


def test_unlogged_tables_of_a_replica_are_left_alone_with_a_warning(
    standby: Standby, production: Database, databases: Databases
) -> None:
    unlogged = """
        CREATE UNLOGGED TABLE cache (id serial PRIMARY KEY);
        CREATE TABLE tree (id int) PARTITION BY RANGE (id);
        CREATE UNLOGGED TABLE leaf PARTITION OF tree DEFAULT;
        """
    production.execute(unlogged)
    pair = pair_of(standby, production, databases, SCHEMA + ";" + unlogged)
    pair.target.execute("INSERT INTO cache VALUES (7); INSERT INTO tree VALUES (8)")

    result = sync(pair)

    why = "it is unlogged, and the source is a standby, which has no rows of such a table"
    assert result.warnings == (
        f"Table public.cache is not synced: {why}.",
        f"Table public.tree is not synced: {why}.",
    )
    assert pair.target.rows("SELECT c.id, t.id FROM cache c, tree t") == [(7, 8)]
    assert pair.target.value("SELECT count(*) FROM t") == 10


def test_a_replica_of_the_target_is_refused_as_a_source(
    standby: Standby, production: Database
) -> None:
    production.mark()
    replica = standby.database(production.name)

    with pytest.raises(TargetNotAllowed, match="its replica"):
        sync_database(replica.address, production.address, SyncOptions("test"))


def test_a_replica_is_refused_as_a_target(
    standby: Standby, production: Database, databases: Databases
) -> None:
    source = databases.make(SCHEMA)
    production.mark()
    replica = standby.database(production.name)

    with pytest.raises(ConfigurationError, match="takes no writes"):
        sync_database(source.address, replica.address, SyncOptions("test"))


@pytest.mark.parametrize("cause", ["DROP TABLE many", "DROP DATABASE"])
def test_a_sync_that_a_replica_ends_to_replay_wal_is_unavailable(
    standby: Standby, production: Database, databases: Databases, cause: str
) -> None:
    pair = pair_of(standby, production, databases, SCHEMA)
    ours = (
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{production.name}'"
        " AND application_name = 'staging-sync test'"
    )

    def write_on_the_primary(phase: str, done: int, _total: int) -> None:
        if (phase, done) == ("compare", 1):
            if cause == "DROP DATABASE":
                standby.primary.execute("postgres", f"DROP DATABASE {production.name}")
            else:
                production.execute(cause)
            anywhere = Database(standby, "postgres")
            wait_until(lambda: anywhere.value(ours) == 0, "the sync is ended")

    with pytest.raises(DatabaseUnavailable, match=ADVICE):
        sync_database(
            pair.source.address,
            pair.target.address,
            SyncOptions("test", progress=write_on_the_primary),
        )

    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_a_statement_that_a_replica_ends_to_replay_wal_is_unavailable_with_advice(
    standby: Standby, production: Database
) -> None:
    replica = standby.database(production.name)
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query ~ '^SELECT.30'"
    )

    def drop() -> None:
        anywhere = Database(standby, "postgres")
        wait_until(lambda: anywhere.value(running) == 1, "the statement runs")
        production.execute("DROP TABLE many")

    dropping = threading.Thread(target=drop)
    dropping.start()
    with connect(replica.address, "source", execution="test", read_only=True) as source:
        source.begin(REPEATABLE_READ)
        source.rows("SELECT FROM public.many LIMIT 1")

        with pytest.raises(DatabaseUnavailable, match=ADVICE):
            source.rows("SELECT 30, pg_sleep(30)")
    dropping.join()


def test_a_replicas_catalog_is_always_read_again(standby: Standby, production: Database) -> None:
    address = standby.database(production.name).address
    with connect(address, "source", execution="test", read_only=True) as session:
        session.begin()

        # There pg_current_snapshot() does not list the transactions that are active.
        assert read_first(session).snapshot == ""

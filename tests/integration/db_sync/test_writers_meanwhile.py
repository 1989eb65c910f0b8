"""Others write to staging between its comparison and the locks that keep them out.

Each write below happens at the worst moment: when all has been compared, and nothing is locked.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from common.errors import DatabaseUnavailable, SyncInProgress
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.postgres.names import Name
from common.postgres.target import lock_writing, require_locked
from common.postgres.waits import Retry, Waits
from db_sync.compare import meanwhile, moment
from db_sync.run import Progress, SyncOptions
from db_sync.sync import sync_database
from db_sync.tuning import Tuning
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.integration.db_sync.faults import (
    LOCK_HOLDERS,
    at_first,
    either_role,
    once_compared,
    state,
    target_as,
    waiting_for_locks,
)
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

# Two tables whose rows an index finds by ranges of the key, and one whose ranges are by hash; one
# is a parent, one its child. The partitioned one differs, and so do all but `parent` and `apart`.
SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parent, v text);
CREATE TABLE named (name text PRIMARY KEY, v text);
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (200);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (200) TO (1000);
CREATE TABLE apart (id int PRIMARY KEY, v text);
"""
ROWS = """
INSERT INTO parent SELECT i, 'parent ' || i FROM generate_series(1, 400) i;
INSERT INTO child SELECT i, i, 'child ' || i FROM generate_series(1, 400) i;
INSERT INTO named SELECT 'name ' || i, 'row ' || i FROM generate_series(1, 400) i;
INSERT INTO parted SELECT i, 'row ' || i FROM generate_series(1, 400) i;
INSERT INTO apart SELECT i, 'row ' || i FROM generate_series(1, 400) i;
"""
DIFFERENCES = """
UPDATE child SET v = 'old' WHERE id = 7;
DELETE FROM named WHERE name = 'name 7';
INSERT INTO parted VALUES (900, 'gone');
"""
# Even tables of this size are divided by an index of their key.
TUNING = Tuning(rows_per_range=4, min_rows_for_key_ranges=50, max_rows_verified_whole=10)

# Of a table, its key's column, a key, the key of a row that differs, and an unused key; `columns`
# and `new` are a row's.
WRITES = {
    "an update": "UPDATE {table} SET v = 'late' WHERE {column} = {key};",
    "an update of a row that differs": "UPDATE {table} SET v = 'x' WHERE {column} = {differing};",
    "an update that changes nothing": "UPDATE {table} SET v = v WHERE {column} = {key};",
    "many updates": "UPDATE {table} SET v = v || ' late';",
    "an update of the key": "UPDATE {table} SET {column} = {unused} WHERE {column} = {key};",
    "an insertion": "INSERT INTO {table} ({columns}) VALUES ({new});",
    "a deletion": "DELETE FROM {table} WHERE {column} = {key};",
    "a deletion and an insertion elsewhere": "DELETE FROM {table} WHERE {column} = {key};"
    "INSERT INTO {table} ({columns}) VALUES ({new});",
    "subtransactions": "SAVEPOINT s; UPDATE {table} SET v = 'late' WHERE {column} = {key};"
    "RELEASE s; SAVEPOINT s; UPDATE {table} SET v = 'undone'; ROLLBACK TO s;",
    "a subtransaction that deletes": "SAVEPOINT s; DELETE FROM {table} WHERE {column} = {key};"
    "RELEASE s;",
}
TABLES = {
    "child": {
        "column": "id",
        "key": "200",
        "differing": "7",
        "unused": "950",
        "columns": "id, parent_id, v",
        "new": "960, 300, 'late'",
    },
    "named": {
        "column": "name",
        "key": "'name 200'",
        "differing": "'name 7'",
        "unused": "'unused'",
        "columns": "name, v",
        "new": "'new', 'late'",
    },
    "parted": {
        "column": "id",
        "key": "300",
        "differing": "900",
        "unused": "950",
        "columns": "id, v",
        "new": "960, 'late'",
    },
}
each_write = pytest.mark.parametrize("write", WRITES)


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS, target=ROWS + DIFFERENCES)


class Writer:
    """Writes to every table that differs, in one transaction, which `commit` ends."""

    def __init__(self, target: Database, write: str) -> None:
        """Begin."""
        self.connection = target.connect()
        for table, parts in TABLES.items():
            self.connection.cursor().execute(WRITES[write].format(table=table, **parts))

    def commit(self) -> None:
        """End."""
        self.connection.commit()
        self.connection.close()


def sync_with(pair: Pair, target: DatabaseAddress, progress: Progress) -> None:
    """Sync, and compare dumps of both sides."""
    options = SyncOptions("test", progress=progress, tuning=TUNING)

    result = sync_database(pair.source.address, target, options)

    assert (result.status, result.verified) == ("synced", True)
    assert_same(pair)


@either_role
@each_write
@pytest.mark.parametrize("begins", ["before", "after"])
def test_what_is_committed_after_the_comparison_is_overwritten(
    pair: Pair, role: str, write: str, begins: str
) -> None:
    target = target_as(pair, role)
    early = [Writer(pair.target, write)] if begins == "before" else []

    def commit() -> None:
        writer = early[0] if early else Writer(pair.target, write)
        writer.commit()

    sync_with(pair, target, once_compared(commit))


@pytest.mark.parametrize(
    "write", ["an update", "an update of a row that differs", "an insertion", "subtransactions"]
)
def test_only_ranges_with_new_rows_are_compared_again(
    pair: Pair, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[Name] = []
    monkeypatch.setattr(meanwhile, "_compare_whole", lambda _, table: whole.append(table.plan.name))

    sync_with(pair, pair.target.address, once_compared(lambda: Writer(pair.target, write).commit()))

    assert whole == []


@either_role
@pytest.mark.parametrize(
    "write",
    [
        "UPDATE parent SET v = 'late' WHERE id = 200",
        "INSERT INTO parent VALUES (900, 'late'); INSERT INTO child VALUES (900, 900, 'late')",
        "DELETE FROM child WHERE id = 300; DELETE FROM parent WHERE id = 300",
        "DELETE FROM child WHERE id = 300; UPDATE parent SET id = 900 WHERE id = 300",
        "UPDATE parent SET v = 'late'",
    ],
)
def test_what_was_written_to_the_parent_of_one_that_differs_is_overwritten(
    pair: Pair, role: str, write: str
) -> None:
    target = target_as(pair, role)

    sync_with(pair, target, once_compared(lambda: pair.target.execute(write)))


@either_role
def test_a_child_is_overwritten_though_only_its_parent_differs(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        SCHEMA, source=ROWS, target=ROWS + "INSERT INTO parent VALUES (900, 'gone')"
    )

    target = target_as(pair, role)

    sync_with(
        pair,
        target,
        once_compared(lambda: pair.target.execute("INSERT INTO child VALUES (900, 900, 'late')")),
    )


@either_role
def test_what_was_written_to_another_table_stays_as_if_it_came_later(pair: Pair, role: str) -> None:
    write = "UPDATE apart SET v = 'late' WHERE id = 200"

    result = sync_database(
        pair.source.address,
        target_as(pair, role),
        SyncOptions(
            "test", progress=once_compared(lambda: pair.target.execute(write)), tuning=TUNING
        ),
    )

    assert result.verified
    assert pair.target.rows("SELECT v FROM apart WHERE id = 200") == [("late",)]
    sync(pair)
    assert_same(pair)


# Statements that wait for the comparison's locks, and get theirs as soon as it ends. `other` has
# the keys of parted_2, and rows that were all written long before.
DEFINITIONS = {
    "truncated": "TRUNCATE parent, child",
    "truncated and frozen": "BEGIN; TRUNCATE named;"
    "COPY named FROM PROGRAM 'echo late,late' (FORMAT csv, FREEZE); COMMIT",
    "another partition": "BEGIN; ALTER TABLE parted DETACH PARTITION parted_2; DROP TABLE parted_2;"
    "ALTER TABLE other RENAME TO parted_2;"
    "ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (200) TO (1000); COMMIT",
    "another column": "BEGIN; ALTER TABLE child DROP COLUMN v;"
    "ALTER TABLE child ADD COLUMN v text DEFAULT 'late';"
    "ALTER TABLE child ALTER COLUMN v DROP DEFAULT; COMMIT",
    "rewritten": "VACUUM FULL named",
    "one column more": "ALTER TABLE child ADD COLUMN more int DEFAULT 1",
}
OTHER = """
CREATE TABLE other (id int PRIMARY KEY, v text);
INSERT INTO other SELECT id, 'other' FROM parted WHERE id >= 200;
"""


@either_role
@pytest.mark.parametrize("what", DEFINITIONS)
def test_what_a_definition_changed_right_after_the_comparison_is_overwritten(
    pair: Pair, role: str, what: str
) -> None:
    pair.target.execute(OTHER if what == "another partition" else "SELECT")
    target = target_as(pair, role)
    started: list[Future[int]] = []

    with ThreadPoolExecutor(1) as pool:

        def start() -> None:
            started.append(pool.submit(pair.target.execute, DEFINITIONS[what]))
            wait_until(lambda: waiting_for_locks(pair.target) == 1, "it waits for the comparison")

        options = SyncOptions("test", progress=once_compared(start), tuning=TUNING)
        result = sync_database(pair.source.address, target, options)
        started[0].result(TIMEOUT)

    assert (result.status, result.verified) == ("synced", True)
    pair.target.execute("ALTER TABLE child DROP COLUMN IF EXISTS more")
    assert_same(pair)


@either_role
def test_rows_that_were_frozen_after_they_were_written_are_found(pair: Pair, role: str) -> None:
    target = target_as(pair, role)

    def write() -> None:
        Writer(pair.target, "an update").commit()
        pair.target.execute("VACUUM (FREEZE) child", "VACUUM (FREEZE) named")

    sync_with(pair, target, once_compared(write))


@pytest.fixture(scope="module")
def preparing() -> Iterator[Databases]:
    """Databases of a server that has room for prepared transactions."""
    with temporary_server(settings={"max_prepared_transactions": "5"}) as server:
        yield Databases(server)


@each_write
def test_a_prepared_transaction_that_is_committed_after_the_comparison_is_seen(
    preparing: Databases, write: str
) -> None:
    pair = preparing.pair(SCHEMA, source=ROWS, target=ROWS + DIFFERENCES)
    writer = Writer(pair.target, write)
    writer.connection.cursor().execute("PREPARE TRANSACTION 'late'")

    sync_with(
        pair,
        pair.target.address,
        once_compared(lambda: pair.target.execute("COMMIT PREPARED 'late'")),
    )


@pytest.fixture(scope="module")
def old_server() -> Iterator[Databases]:
    """Databases of a server whose transaction ids have been used up seven times."""
    with temporary_server() as server:
        server.stop()
        server._run_as_owner("pg_resetwal", "--epoch=7")
        server._run_as_owner("pg_ctl", "-w", "-l", str(server._log), "start")
        yield Databases(server)


@pytest.mark.parametrize("write", ["an update", "a deletion and an insertion elsewhere"])
def test_writes_are_found_when_transaction_ids_have_more_than_32_bits(
    old_server: Databases, write: str
) -> None:
    pair = old_server.pair(SCHEMA, source=ROWS, target=ROWS + DIFFERENCES)
    assert pair.target.value("SELECT pg_current_xact_id()::text::bigint >> 32") == 7

    sync_with(pair, pair.target.address, once_compared(lambda: Writer(pair.target, write).commit()))


def test_a_forgotten_prepared_transaction_is_warned_of(
    preparing: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "FORGOTTEN", "0 seconds")
    pair = preparing.pair(SCHEMA, source=ROWS, target=ROWS + DIFFERENCES)
    pair.target.execute("CREATE TABLE elsewhere (id int)")
    with contextlib.closing(pair.target.connect()) as forgetful:
        forgetful.cursor().execute(
            "INSERT INTO elsewhere VALUES (1); PREPARE TRANSACTION 'ada@example.com'"
        )
    pair.target.execute("UPDATE child SET v = v", "UPDATE named SET v = v")
    writer = Writer(pair.target, "an update")
    options = SyncOptions("test", progress=once_compared(writer.commit), tuning=TUNING)

    result = sync_database(pair.source.address, pair.target.address, options)

    pair.target.execute("ROLLBACK PREPARED 'ada@example.com'", "DROP TABLE elsewhere")
    assert_same(pair)
    (warning,) = [each for each in result.warnings if "prepared" in each]
    assert "owner postgres" in warning
    assert "ada@example.com" not in warning


def test_a_run_whose_lock_is_lost_writes_nothing(pair: Pair) -> None:
    before = state(pair.target)
    lost = (
        f"SELECT pg_terminate_backend(pid) FROM ({LOCK_HOLDERS} AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())) holder"
    )
    options = SyncOptions("test", progress=at_first(lambda: pair.target.rows(lost), "write"))

    with pytest.raises(DatabaseUnavailable):
        sync_database(pair.source.address, pair.target.address, options)

    assert state(pair.target) == before


def test_no_run_begins_while_one_that_has_lost_its_lock_still_writes(pair: Pair) -> None:
    with connect(pair.target.address, "target", execution="nightly-7") as dying:
        dying.begin()
        lock_writing(dying)

        with pytest.raises(SyncInProgress, match=r"Execution nightly-7 .* holds the lock"):
            sync(pair, waits=Waits(run_lock=Retry(0.5, pause=0.1)))


def test_two_sessions_that_reach_different_servers_are_refused(pair: Pair) -> None:
    with connect(pair.target.address, "target", execution="test") as session:
        session.begin()

        with pytest.raises(DatabaseUnavailable, match="leads to several servers"):
            require_locked(session)

"""For the tests of interrupted syncs: a pair with many differences, and helpers to wait."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from common.postgres.connection.address import DatabaseAddress
from common.postgres.target import LOCK_KEY
from db_sync.rules import SyncRules
from db_sync.run import Progress, SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.db_sync.syncing import own_tables
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

OWNER = "table_owner"
# It locks only the index, so every session that plans a query of the table waits.
HOLD_READS = "ALTER INDEX {}_pkey SET TABLESPACE pg_default"
LOCK_HOLDERS = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    f" AND (classid::bigint << 32 | objid::bigint) = {LOCK_KEY}"
)
# Tables to merge, one to replace (it has no key), one without a difference, a sequence to set, and
# a view to refresh.
SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (id serial PRIMARY KEY, parent_id int NOT NULL REFERENCES parent, v text);
CREATE TABLE log (line text);
CREATE TABLE same (id int PRIMARY KEY);
CREATE MATERIALIZED VIEW children AS SELECT count(*) FROM child;
"""
PRODUCTION = """
INSERT INTO parent SELECT i, 'parent ' || i FROM generate_series(1, 300) i;
INSERT INTO child (parent_id, v) SELECT i, 'child ' || i FROM generate_series(1, 300) i;
INSERT INTO log SELECT 'line ' || i FROM generate_series(1, 300) i;
INSERT INTO same VALUES (1);
REFRESH MATERIALIZED VIEW children;
"""
# A sync has to delete parent 900 and its child, and to add or change other parents and children.
STAGING = """
INSERT INTO parent SELECT i, 'parent ' || i FROM generate_series(1, 290) i;
INSERT INTO parent VALUES (900, 'gone');
INSERT INTO child (parent_id, v) SELECT i, 'child ' || i FROM generate_series(1, 200) i;
INSERT INTO child (parent_id, v) VALUES (900, 'gone');
UPDATE child SET v = 'old' WHERE id = 7;
INSERT INTO log VALUES ('old');
INSERT INTO same VALUES (1);
REFRESH MATERIALIZED VIEW children;
"""

either_role = pytest.mark.parametrize("role", ["superuser", "owner"])
either_side = pytest.mark.parametrize("side", ["source", "target"])


def different_pair(databases: Databases) -> Pair:
    """Return production and a staging with many differences."""
    return databases.pair(SCHEMA, source=PRODUCTION, target=STAGING)


def target_as(pair: Pair, role: str) -> DatabaseAddress:
    """Return the target's address for a superuser, or for a role that only owns its tables."""
    if role == "superuser":
        return pair.target.address
    address = own_tables(pair, OWNER)
    pair.target.execute(
        "DO $$ DECLARE view regclass; BEGIN"
        " FOR view IN SELECT oid FROM pg_class WHERE relkind = 'm' LOOP"
        f" EXECUTE format('ALTER MATERIALIZED VIEW %s OWNER TO {OWNER}', view); END LOOP; END $$"
    )
    return address


def put_back(pair: Pair) -> None:
    """Restore the rows that the target had before a sync."""
    pair.target.execute("TRUNCATE parent, child, log, same RESTART IDENTITY;" + STAGING)


def state(database: Database) -> str:
    """Return the schema, the rows, and the sequences' positions."""
    positions = database.rows("SELECT * FROM pg_sequences ORDER BY schemaname, sequencename")
    return f"{database.schema()}\n{database.contents()}\n{positions}"


def at_first(action: Callable[[], object], *phases: str) -> Progress:
    """Return a progress callback that does something once, when one of some phases begins.

    While "compare", no table of the target is locked against writers; from "fetch" or "copy" on,
    those are that are to be written.
    """
    left = [action]

    def show(phase: str, _done: int, _total: int) -> None:
        if left and phase in phases:
            left.pop()()

    return show


def once_compared(action: Callable[[], object]) -> Progress:
    """Return a progress callback that does something once, when all tables have been compared."""
    left = [action]

    def show(phase: str, done: int, total: int) -> None:
        if left and (phase, done) == ("compare", total):
            left.pop()()

    return show


def sync_while_others_wait(
    pair: Pair,
    target: DatabaseAddress,
    others: Database,
    statements: list[str],
    rules: SyncRules | None = None,
) -> list[BaseException | None]:
    """Sync, and meanwhile run statements in a database that all have to wait for a lock.

    Returns:
        Each statement's error, or None if it succeeded in the end.
    """
    started: list[Future[int]] = []
    with ThreadPoolExecutor(len(statements)) as pool:

        def start() -> None:
            started.extend(pool.submit(others.execute, statement) for statement in statements)
            wait_until(lambda: waiting_for_locks(others) == len(statements), "all of them wait")

        options = SyncOptions(
            "test", rules or SyncRules(), progress=at_first(start, "fetch", "copy")
        )
        assert sync_database(pair.source.address, target, options).verified
        return [statement.exception(TIMEOUT) for statement in started]


def waiting_for_locks(database: Database) -> int:
    """Return how many sessions of a database wait for a lock, whoever started them."""
    waiting: int = database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    return waiting


def backends(database: Database) -> list[int]:
    """Return the process ids of the backends that a sync has in a database."""
    return [
        pid
        for (pid,) in database.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'staging-sync%'"
        )
    ]


def working_backends(database: Database) -> list[int]:
    """Return the same without the one that only holds the target's lock."""
    holders = database.rows(LOCK_HOLDERS)
    return [pid for pid in backends(database) if (pid,) not in holders]


def is_in_transaction(database: Database) -> bool:
    """Return whether a sync has a transaction open in a database."""
    return bool(
        database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'staging-sync%' AND state <> 'idle'"
        )
    )


def wait_for_no_backend(pair: Pair) -> None:
    """Wait a few seconds at most until both servers have noticed that the sync is gone."""
    wait_until(
        lambda: not backends(pair.source) + backends(pair.target),
        "no backend of a sync is left",
        seconds=3.0,
    )


def waits(database: Database) -> list[str]:
    """Return what the backends of a sync wait for, as `pg_stat_activity` names it."""
    return [
        event
        for (event,) in database.rows(
            "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'staging-sync%'"
        )
    ]


@contextlib.contextmanager
def held(database: Database, statement: str) -> Iterator[None]:
    """Hold the locks that a statement takes during a with statement."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        yield

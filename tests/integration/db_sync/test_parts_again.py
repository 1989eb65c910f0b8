"""Parts that are done again: after a sync that failed, or since the application got in between."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.errors import SchemaMismatch
from db_sync.parts import jobs
from tests.integration.db_sync.parts import ROWS, SHOP, sync_divided
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair

TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, v text)"
FILL = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 8000) i; ANALYZE t"
IS_WAITING = """
SELECT FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND application_name LIKE 'staging-sync%'
    AND datname = current_database()
"""
HAS_LOCKED = """
SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.mode = 'ExclusiveLock' AND l.granted AND l.locktype = 'relation'
    AND d.datname = current_database()
"""
NO_PARENT = r"1 rows of public\.orders break its foreign key"


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads instead of processes, which take a second to start."""
    monkeypatch.setattr(jobs, "processes", ThreadPoolExecutor)


def sync_beside(pair: Pair, application: Callable[[], object], when: str) -> None:
    """Sync, while the application acts as soon as a query finds something."""

    def act() -> None:
        until = time.monotonic() + 60
        while not pair.target.rows(when):
            assert time.monotonic() < until
            time.sleep(0.01)
        application()

    with ThreadPoolExecutor(1) as executor:
        acted = executor.submit(act)
        result = sync_divided(pair)
        acted.result()
    assert result.verified


def test_rows_without_parents_that_a_failed_sync_left_are_found_by_the_next_one(
    databases: Databases,
) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    pair.source.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_person_fkey",
        "UPDATE orders SET person = 99999 WHERE id = 2000",
    )
    with pytest.raises(SchemaMismatch, match=NO_PARENT) as raised:
        sync_divided(pair)
    assert "Nothing was written" not in str(raised.value)

    with pytest.raises(SchemaMismatch, match=NO_PARENT):
        sync_divided(pair)


def test_a_view_of_rows_that_a_failed_sync_wrote_is_refreshed_by_the_next_one(
    databases: Databases,
) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    lines = pair.source.rows("SELECT count(*) FROM lines")
    pair.target.execute("ALTER TABLE events ADD CONSTRAINT short CHECK (what <> 'event 1')")
    with pytest.raises(SchemaMismatch):
        sync_divided(pair)
    assert pair.target.rows("SELECT count(*) FROM lines") == lines
    pair.target.execute("ALTER TABLE events DROP CONSTRAINT short")

    sync_divided(pair)

    assert pair.target.rows("SELECT count FROM totals") == lines


def test_a_key_that_the_application_inserts_first_gets_productions_row(
    databases: Databases,
) -> None:
    pair = databases.pair(TABLE, source=FILL)
    with pair.target.connect() as application, application.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (4000, 'a tester''s')")
        sync_beside(pair, application.commit, when=IS_WAITING)
    assert_same(pair)


def test_a_duplicate_in_production_fails_as_what_it_is(databases: Databases) -> None:
    pair = databases.pair(TABLE, source=FILL)
    pair.source.execute("UPDATE t SET v = 'row 1' WHERE id = 8000")
    pair.target.execute("CREATE UNIQUE INDEX once ON t (v)")
    with pytest.raises(SchemaMismatch, match="constraint once"):
        sync_divided(pair)


def test_a_part_in_a_deadlock_with_the_application_is_begun_again(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (n int)", source="INSERT INTO t VALUES (1)")
    pair.target.execute("INSERT INTO t VALUES (2)")
    with pair.target.connect() as application, application.cursor() as cursor:
        cursor.execute("SELECT FROM t")  # which a TRUNCATE waits for

        def write() -> Any:  # which waits for the part's lock
            cursor.execute("INSERT INTO t VALUES (3)")
            application.commit()

        sync_beside(pair, write, when=HAS_LOCKED)
    assert (1,) in pair.target.rows("SELECT n FROM t")

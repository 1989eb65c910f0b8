"""Production changes while a sync runs: the target becomes what production was at one moment."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.errors import StagingSyncError
from common.postgres.waits import Retry, Waits
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.faults import (
    different_pair,
    either_role,
    held,
    state,
    sync_while_others_wait,
    target_as,
    waits,
)
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

CHANGES = """
INSERT INTO parent VALUES ({number}, 'later');
UPDATE child SET v = 'later' WHERE id % 2 = 0;
DELETE FROM child WHERE id % 3 = 0;
INSERT INTO log VALUES ('later');
DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log);
UPDATE same SET id = id + 1;
"""


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return different_pair(databases)


@either_role
def test_what_production_commits_after_the_snapshot_is_not_in_the_target(
    pair: Pair, role: str
) -> None:
    target = target_as(pair, role)
    before = pair.source.contents()
    moments: list[str] = []

    def change(phase: str, done: int, _total: int) -> None:
        moments.append(f"{phase} {done}")
        pair.source.execute(CHANGES.format(number=1000 + len(moments)))

    result = sync_database(pair.source.address, target, SyncOptions("test", progress=change))

    assert len(moments) > 4
    assert result.verified
    assert pair.target.contents() == before
    sync(pair, target=target)
    assert_same(pair)


@either_role
def test_statements_that_would_remove_rows_from_the_snapshot_wait_until_they_are_read(
    pair: Pair, role: str
) -> None:
    before = pair.source.contents()
    statements = [
        "TRUNCATE log",
        "DROP TABLE same",
        "CLUSTER child USING child_pkey",
        "ALTER TABLE parent ADD more float DEFAULT random()",
    ]

    errors = sync_while_others_wait(pair, target_as(pair, role), pair.source, statements)

    assert errors == [None] * len(statements)
    assert pair.target.contents() == before
    assert pair.source.value("SELECT count(*) FROM log") == 0


@either_role
def test_the_sync_waits_for_an_earlier_truncate_and_reads_the_new_rows(
    pair: Pair, role: str
) -> None:
    target = target_as(pair, role)
    with ThreadPoolExecutor(1) as pool, contextlib.closing(pair.source.connect()) as production:
        production.cursor().execute("TRUNCATE log; INSERT INTO log VALUES ('all anew')")
        running = pool.submit(sync_database, pair.source.address, target, SyncOptions("test"))
        wait_until(lambda: "relation" in waits(pair.source), "the sync waits")
        production.commit()
        running.result(TIMEOUT)

    assert pair.target.rows("TABLE log") == [("all anew",)]
    assert_same(pair)


@either_role
def test_the_sync_does_not_wait_forever_for_a_migration_of_production(
    pair: Pair, role: str
) -> None:
    target = target_as(pair, role)
    before = state(pair.target)

    with ThreadPoolExecutor(1) as pool, held(pair.source, "ALTER TABLE log ADD more int"):
        options = SyncOptions("test", waits=Waits(source_locks=Retry(0.1, pause=0.3)))
        running = pool.submit(sync_database, pair.source.address, target, options)
        with pytest.raises(StagingSyncError, match=r"the source database .* could not be locked"):
            running.result(TIMEOUT)

    assert state(pair.target) == before

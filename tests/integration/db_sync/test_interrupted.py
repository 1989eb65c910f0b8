"""Somebody cancels a sync's statement, or terminates its backend, on either side.

The test interrupts it while it waits for a lock of the test's own, so it is certainly under way.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.errors import DatabaseUnavailable, OutOfTime, StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.db_sync.faults import (
    HOLD_READS,
    either_role,
    either_side,
    held,
    state,
    target_as,
    wait_for_no_backend,
    waits,
    working_backends,
)
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

# The key is a text, so the first query of the table reads its fingerprints. There are so many rows
# that the source cannot send them all before the target takes some.
SCHEMA = "CREATE TABLE t (id text PRIMARY KEY, v text)"
ROWS = "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i"
# Every write of a row waits for this.
HOLD_WRITES = "SELECT pg_advisory_xact_lock(1)"
WAITS = """
CREATE FUNCTION waits(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(1); RETURN $1; END';
CREATE INDEX ON t (waits(v));
INSERT INTO t VALUES ('old', 'old');
"""
type Interruption = tuple[str, type[StagingSyncError], str]
INTERRUPTIONS: list[Interruption] = [
    ("pg_cancel_backend", OutOfTime, "A statement was cancelled"),
    ("pg_terminate_backend", DatabaseUnavailable, "The connection was lost"),
]


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS, target=WAITS)


@either_role
@either_side
def test_an_interruption_while_tables_are_compared_leaves_the_target_as_it_was(
    pair: Pair, side: str, role: str, subtests: pytest.Subtests
) -> None:
    target = target_as(pair, role)
    for interruption in INTERRUPTIONS:
        with (
            subtests.test(interruption[0]),
            interrupted(
                pair, target, side, interruption, held(side_of(pair, side), HOLD_READS.format("t"))
            ),
        ):
            wait_until(lambda: "relation" in waits(side_of(pair, side)), "it waits for the index")
    assert_next_succeeds(pair, target)


@either_role
@either_side
def test_an_interruption_while_rows_are_copied_leaves_the_target_as_it_was(
    pair: Pair, side: str, role: str, subtests: pytest.Subtests
) -> None:
    target = target_as(pair, role)
    for interruption in INTERRUPTIONS:
        with (
            subtests.test(interruption[0]),
            interrupted(pair, target, side, interruption, held(pair.target, HOLD_WRITES)),
        ):
            wait_until(lambda: "advisory" in waits(pair.target), "it writes the first row")
            wait_until(lambda: "ClientWrite" in waits(pair.source), "it cannot send more rows")
    assert_next_succeeds(pair, target)


@contextlib.contextmanager
def interrupted(
    pair: Pair,
    target: DatabaseAddress,
    side: str,
    interruption: Interruption,
    holding: contextlib.AbstractContextManager[None],
) -> Iterator[None]:
    """Start a sync that is blocked, interrupt it after the body, and check its error.

    Args:
        pair: production and staging.
        target: staging's address.
        side: whose backend is interrupted.
        interruption: the function that interrupts it, and the error and words that must follow.
        holding: blocks the sync until it is interrupted.
    """
    function, error, words = interruption
    before = state(pair.target)
    with ThreadPoolExecutor(1) as pool:
        with holding:
            running = pool.submit(sync_database, pair.source.address, target, SyncOptions("test"))
            yield
            (pid,) = working_backends(side_of(pair, side))
            side_of(pair, side).rows(f"SELECT {function}({pid})")
        with pytest.raises(error, match=f"{words}: .*, the {side} database "):
            running.result(TIMEOUT)
    assert state(pair.target) == before
    wait_for_no_backend(pair)


def side_of(pair: Pair, side: str) -> Database:
    return pair.source if side == "source" else pair.target


def assert_next_succeeds(pair: Pair, target: DatabaseAddress) -> None:
    sync(pair, target=target)
    assert_same(pair)

"""Two keepers hold a moment of production, and a third session reads at that moment."""

import time

import psycopg2
import pytest

from common.errors import DatabaseUnavailable, SyncInProgress
from common.postgres.deadline import MARGIN
from common.postgres.waits import Retry, Waits
from db_sync.parts import keeping
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.db_sync.keepers import (
    LATER,
    NO_TURNS,
    ROWS,
    SCHEMA,
    TURN,
    Keepers,
    rows_at_the_snapshot,
    rows_now,
    wait_for_entries,
)
from tests.support.board import MemoryBoard
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

HANDOVERS = 6
END_OLDER_KEEPER = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'staging-sync parts'
ORDER BY backend_start LIMIT 1
"""
END_KEEPERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'staging-sync parts'
"""


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS)


def end_keepers(database: Database) -> None:
    """End the keepers' sessions as an administrator can."""
    assert database.rows(END_KEEPERS)


def test_after_several_handovers_a_part_still_sees_the_first_moment(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    first = rows_now(pair.source)
    with keepers.running():
        wait_for_entries(board, 2)
        pair.source.execute(*LATER)
        wait_for_entries(board, 2 + HANDOVERS)
        seen = rows_at_the_snapshot(keepers)

    assert seen == first != rows_now(pair.source)
    assert keepers.errors == []
    assert {kept.epoch for _, kept in board.written} == {1}
    assert len({kept.snapshot for _, kept in board.written}) > HANDOVERS
    assert len({kept.taken_at for _, kept in board.written}) == 1


def test_a_table_that_parts_read_cannot_be_truncated_while_a_keeper_lives(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    with keepers.running():
        wait_for_entries(board, 1)
        until = time.monotonic() + 4 * TURN
        while time.monotonic() < until:
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                pair.source.execute("SET lock_timeout = '50ms'; TRUNCATE rewritten")
        seen = rows_at_the_snapshot(keepers)

    assert len(board.written) > 4
    assert seen[2] == [(1, "first")]
    assert keepers.errors == []


def test_if_both_keepers_are_killed_the_next_epoch_begins_with_a_later_moment(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    with keepers.running():
        wait_for_entries(board, 2)
        pair.source.execute(*LATER)
        end_keepers(pair.source)
        wait_until(lambda: {kept.epoch for kept in board.kept()} == {2}, "both keep epoch 2")
        seen = rows_at_the_snapshot(keepers)

    assert seen == rows_now(pair.source)
    assert len({kept.taken_at for _, kept in board.written if kept.epoch == 2}) == 1
    assert {type(error) for error in keepers.errors} == {DatabaseUnavailable}


def test_if_a_keeper_is_killed_again_and_again_the_other_one_hands_it_the_same_moment(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    keepers.tuning = NO_TURNS
    first = rows_now(pair.source)
    with keepers.running():
        wait_for_entries(board, 2)
        pair.source.execute(*LATER)
        for _ in range(6):
            older = len(board.written)
            pair.target.execute(END_OLDER_KEEPER)
            wait_for_entries(board, older + 1)
        seen = rows_at_the_snapshot(keepers)

    assert seen == first
    assert {kept.epoch for _, kept in board.written} == {1}
    assert sorted(keeper for keeper, _ in board.written[2:]) == ["a"] * 3 + ["b"] * 3
    assert len(keepers.errors) == 6


@pytest.mark.parametrize("_attempt", range(5))
def test_keepers_that_start_at_the_same_moment_begin_one_epoch(
    board: MemoryBoard, keepers: Keepers, _attempt: int
) -> None:
    keepers.tuning = NO_TURNS
    with keepers.running():
        wait_for_entries(board, 2)

    assert {kept.epoch for _, kept in board.written} == {1}
    assert len({kept.taken_at for _, kept in board.written}) == 1
    assert keepers.errors == []


def test_a_migration_of_production_waits_no_longer_than_a_keeper_lives(
    pair: Pair, board: MemoryBoard, keepers: Keepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets a lock behind it, so that nobody relieves the keepers."""
    monkeypatch.setattr(keeping, "LAST", MARGIN)
    keepers.life = 3.0
    with keepers.running():
        wait_for_entries(board, 4)
        pair.source.execute("ALTER TABLE changed ADD COLUMN new int")
        wait_until(lambda: board.kept()[0].epoch == 2, "the next epoch has begun")
        seen = rows_at_the_snapshot(keepers)

    assert {kept.epoch for _, kept in board.written} == {1, 2}
    assert seen == rows_now(pair.source)
    assert len(seen[0][0]) == 3, "columns"


def test_a_sync_is_refused_all_the_while_that_keepers_take_turns(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    options = SyncOptions("nightly", waits=Waits(run_lock=Retry(4 * TURN, pause=0.01)))
    with keepers.running():
        wait_for_entries(board, 2)
        with pytest.raises(SyncInProgress, match=r"^Execution parts \(backend"):
            sync_database(pair.source.address, pair.target.address, options)

    assert len(board.written) > 4
    assert keepers.errors == []

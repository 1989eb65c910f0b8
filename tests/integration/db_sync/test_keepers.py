"""Two keepers that take turns, and a third session that reads at the moment that they keep."""

import time
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from common.errors import DatabaseUnavailable
from common.postgres.database import Session, connect
from common.postgres.names import Name
from common.postgres.waits import Retry
from db_sync.parts.shared_snapshot import begin_kept
from sandbox.database import Database
from tests.integration.db_sync.keepers import TURN, Keepers
from tests.support.board import MemoryBoard
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

SCHEMA = """
CREATE TABLE changed (id int PRIMARY KEY, v text);
CREATE TABLE emptied (id int PRIMARY KEY);
CREATE TABLE rewritten (id int PRIMARY KEY, v text);
"""
ROWS = """
INSERT INTO changed SELECT i, 'first ' || i FROM generate_series(1, 100) i;
INSERT INTO emptied SELECT i FROM generate_series(1, 100) i;
INSERT INTO rewritten VALUES (1, 'first');
"""
LATER = (
    "UPDATE changed SET v = 'later' WHERE id <= 50",
    "DELETE FROM changed WHERE id > 90",
    "INSERT INTO changed VALUES (1000, 'later')",
    "DELETE FROM emptied",
    "VACUUM changed, emptied",
)
TABLES = [Name("public", name) for name in ("changed", "emptied", "rewritten")]
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

type Rows = list[tuple[Any, ...]]


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS)


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard()


@pytest.fixture
def keepers(pair: Pair, board: MemoryBoard) -> Keepers:
    return Keepers(pair.source.address, pair.target.address, board, TABLES)


def rows_of(session: Session) -> list[Rows]:
    return [
        session.rows(f"SELECT * FROM {table.schema}.{table.name} ORDER BY 1") for table in TABLES
    ]


def rows_at_the_snapshot(keepers: Keepers) -> list[Rows]:
    """Return what a part reads of all tables."""
    with connect(keepers.source, "source", execution=keepers.execution, read_only=True) as part:
        begin_kept(part, keepers.board, TABLES, has_policies=False, wait=Retry(20, pause=0.05))
        return rows_of(part)


def rows_now(database: Database) -> list[Rows]:
    return [database.rows(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES]


def wait_for_entries(board: MemoryBoard, number: int) -> None:
    wait_until(lambda: len(board.written) >= number, f"{number} snapshots are written")


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
    keepers.tuning = replace(keepers.tuning, keeper_turn=None)
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
    assert [keeper for keeper, _ in board.written[2:]] == [
        keeper for keeper, _ in board.written[:2]
    ] * 3
    assert len(keepers.errors) == 6

"""Two keepers that take turns, and a third session that reads at the moment that they keep."""

import contextlib
import io
import threading
import time
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.aws.exchange import Exchange
from common.errors import DatabaseUnavailable, SyncInProgress
from common.postgres.database import Session, connect
from common.postgres.deadline import MARGIN
from common.postgres.names import Name
from common.postgres.waits import Retry, Waits
from db_sync.parts import keeping
from db_sync.parts.board import Board, BucketBoard, End, Kept
from db_sync.parts.shared_snapshot import begin_at, begin_kept, export, lock_first, mark_alive
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.integration.db_sync.keepers import (
    NO_TURNS,
    TUNING,
    TURN,
    Boards,
    KeeperProcess,
    Keepers,
)
from tests.support.board import MemoryBoard
from tests.support.databases import Databases, Pair
from tests.support.pooler import pooler_before
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
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'staging-sync parts'
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
    assert [keeper for keeper, _ in board.written[2:]] == [
        keeper for keeper, _ in board.written[:2]
    ] * 3
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


def test_keepers_that_start_at_the_same_moment_end_their_turns_half_a_turn_apart(
    board: MemoryBoard, keepers: Keepers
) -> None:
    keepers.tuning = NO_TURNS
    with keepers.running():
        wait_for_entries(board, 2)

    later, earlier = (kept.kept_until for kept in board.kept())
    assert later - earlier == pytest.approx(keeping.UNLIMITED_TURN / 2, abs=1)


@pytest.mark.parametrize(
    ("others_left", "length"),
    [
        (840.0, 420.0),  # both begin at the same time
        (700.0, 280.0),
        (600.0, 840.0),
        (420.0, 840.0),  # in step
        (5.0, 840.0),
        (-30.0, 840.0),  # the other one waits to be relieved
    ],
)
def test_a_turn_is_shortened_if_it_would_end_with_the_others(
    others_left: float, length: float
) -> None:
    assert keeping._length(840.0, others_left) == length


@given(left=st.floats(-100, 840), delays=st.lists(st.floats(0, 30), min_size=10, max_size=10))
def test_keepers_get_in_step_however_they_began(left: float, delays: list[float]) -> None:
    """Each comes back some seconds after its turn, and the other one has a part of its left."""
    full, now = 840.0, 0.0
    ends = [now, now + left]
    for number, delay in enumerate(delays):
        mine = ends.index(min(ends))
        now = max(now, ends[mine]) + delay
        others_left = ends[1 - mine] - now
        if number > 3:
            assert full / 4 - 60 < others_left < full * 3 / 4 + 60
        ends[mine] = now + keeping._length(full, others_left)


@pytest.mark.parametrize("failed", [False, True])
def test_the_word_that_all_is_over_lets_go_of_everything_at_once(
    pair: Pair, board: MemoryBoard, keepers: Keepers, failed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PAUSE_AFTER_FAILURE", 1.0)
    keepers.tuning = NO_TURNS
    results = list[bool | str]()

    def keep() -> None:
        try:
            results.append(keepers.turn("a"))
        except DatabaseUnavailable as error:
            results.append(str(error))

    thread = threading.Thread(target=keep)
    thread.start()
    wait_for_entries(board, 1)
    assert sessions_of_keepers(pair) == (1, 1)
    board.write_end(End(1, failed=failed))
    wait_until(lambda: sessions_of_keepers(pair) == (0, 0), "nothing is held")
    assert thread.is_alive() == failed, "the pause comes after that"
    thread.join()

    if failed:
        assert "has failed, as FinishSync says" in str(results)
    else:
        assert results == [True]


def sessions_of_keepers(pair: Pair) -> tuple[int, ...]:
    return tuple(int(database.value(SESSIONS)) for database in pair)


def test_a_keeper_that_comes_after_the_end_has_nothing_to_do(
    board: MemoryBoard, keepers: Keepers
) -> None:
    board.write_end(End(1, failed=False))

    assert keepers.turn("b")
    assert board.written == []


def test_a_keeper_that_is_called_again_by_a_run_that_has_just_failed_takes_no_snapshot(
    board: MemoryBoard, keepers: Keepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PAUSE_AFTER_FAILURE", 0.0)
    keepers.life = 1.0  # ends a turn that should not begin
    board.write_end(End(1, failed=True))

    with pytest.raises(DatabaseUnavailable, match="redrive"):
        keepers.turn("b")
    assert board.written == []


def test_after_a_redrive_the_next_epoch_begins(board: MemoryBoard, keepers: Keepers) -> None:
    board.keep("a", Kept("00000009-00000009-1", 1, "", 9e9))
    board.write_end(End(1, failed=True, at=time.time() - 2 * keeping.RECENT))
    with keepers.running():
        wait_for_entries(board, 3)

    assert {kept.epoch for _, kept in board.written[1:]} == {2}
    assert keepers.errors == []


def test_a_keeper_whose_snapshot_is_not_the_newest_lets_it_go_and_takes_the_newest_over(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    keepers.tuning = NO_TURNS
    with keepers.running("a"):
        wait_for_entries(board, 1)
        with connect(pair.source.address, "source", execution="parts", read_only=True) as other:
            lock_first(other, TABLES, has_policies=False)
            newer = Kept(export(other), 2, "newer", 9e9)
            mark_alive(other, newer)
            board.keep("b", newer)
            wait_until(lambda: len(board.written) == 3, "a has taken it over")

    assert board.written[2][0] == "a"
    assert (board.written[2][1].epoch, board.written[2][1].taken_at) == (2, "newer")


def test_a_keeper_that_nobody_relieves_stays_until_its_last_moment(
    board: MemoryBoard, keepers: Keepers, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    monkeypatch.setattr(keeping, "LAST", MARGIN)  # so that the last moment is the deadline
    keepers.tuning = replace(TUNING, keeper_turn=0.1)
    keepers.life = 2.0
    board.keep("b", Kept("00000009-00000009-1", 0, "", 9e9))  # dead, whatever it meant to do

    assert not keepers.turn("a")

    assert "nobody relieves a keeper" in logged.getvalue()


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


def test_a_keeper_does_not_count_on_one_that_was_killed_since_it_took_over(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    first = rows_now(pair.source)
    with keepers.running("a"):
        wait_for_entries(board, 1)
        with connect(pair.source.address, "source", execution="parts", read_only=True) as other:
            begin_at(other, board.kept()[0], TABLES, has_policies=False)
            dead = replace(board.kept()[0], snapshot=export(other), kept_until=9e9)
            mark_alive(other, dead)
        board.keep("b", dead)
        pair.source.execute(*LATER)
        time.sleep(3 * TURN)
        seen = rows_at_the_snapshot(keepers)

    assert [keeper for keeper, _ in board.written] == ["a", "b"]
    assert seen == first


def test_a_keeper_does_not_leave_before_one_whose_turn_ends_earlier(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    """Otherwise both might leave at the same moment, each because of the other."""
    with keepers.running("a"):
        wait_for_entries(board, 1)
        with connect(pair.source.address, "source", execution="parts", read_only=True) as other:
            begin_at(other, board.kept()[0], TABLES, has_policies=False)
            earlier = replace(board.kept()[0], snapshot=export(other), kept_until=time.time())
            mark_alive(other, earlier)
            board.keep("b", earlier)
            time.sleep(3 * TURN)
            assert [keeper for keeper, _ in board.written] == ["a", "b"]

            board.keep("b", replace(earlier, kept_until=time.time() + 600))
            wait_for_entries(board, 4)

    assert [keeper for keeper, _ in board.written][3] == "a"
    assert {kept.epoch for _, kept in board.written} == {1}


def test_a_keeper_that_is_led_to_another_server_than_the_other_one_begins_no_epoch(
    board: MemoryBoard,
    keepers: Keepers,
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "PATIENCE", Retry(0.2, pause=0.05))
    keepers.tuning = NO_TURNS
    with databases.on_server_of(16) as others, keepers.running("a"):
        elsewhere = replace(keepers, source=others.make(SCHEMA, ROWS).address)
        wait_for_entries(board, 1)
        with pytest.raises(DatabaseUnavailable, match="several servers"):
            elsewhere.turn("b")

    assert len(board.written) == 1
    assert keepers.errors == []


def test_the_roles_limits_for_idle_sessions_do_not_end_a_turn(
    pair: Pair, board: MemoryBoard, keepers: Keepers
) -> None:
    for database in pair:
        for limit in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
            database.execute(f"ALTER DATABASE {database.name} SET {limit} = '300ms'")
        database.execute(f"ALTER DATABASE {database.name} SET statement_timeout = '200ms'")
    keepers.tuning = replace(TUNING, keeper_poll=0.7)
    with keepers.running():
        wait_for_entries(board, 5)

    assert keepers.errors == []
    assert {kept.epoch for _, kept in board.written} == {1}


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


def test_keepers_behind_a_transaction_pooler_leave_it_clean(
    server: EmbeddedPostgres, pair: Pair, board: MemoryBoard
) -> None:
    with pooler_before(server, pool_size=2) as pooler:
        before = [pooler.application_finds(database) for database in pair]
        addresses = [pooler.address(database) for database in pair]
        keepers = Keepers(addresses[0], addresses[1], board, TABLES)
        with keepers.running():
            wait_for_entries(board, 6)

        assert keepers.errors == []
        assert {kept.epoch for _, kept in board.written} == {1}
        assert [pooler.application_finds(database) for database in pair] == before


def test_keepers_tell_each_other_through_the_bucket(exchange: Exchange, pair: Pair) -> None:
    board = BucketBoard(exchange)
    keepers = Keepers(pair.source.address, pair.target.address, board, TABLES)
    first = rows_now(pair.source)
    seen = set[str]()

    def has_handed_over_often() -> bool:
        seen.update(kept.snapshot for kept in board.kept())
        return len(seen) > HANDOVERS

    with keepers.running():
        wait_until(lambda: len(board.kept()) == 2, "both keepers are there")
        pair.source.execute(*LATER)
        wait_until(has_handed_over_often, "the snapshot was handed over")
        assert rows_at_the_snapshot(keepers) == first

    assert keepers.errors == []


def test_killed_processes_lose_the_moment_only_if_both_die(pair: Pair) -> None:
    first = rows_now(pair.source)
    with Boards() as boards, contextlib.ExitStack() as stack:
        keepers = Keepers(pair.source.address, pair.target.address, boards.shared(), TABLES)
        keepers.tuning = NO_TURNS
        one, other = (KeeperProcess(keepers, keeper) for keeper in "ab")
        for each in (one, other):
            stack.callback(each.kill)
            each.start()
        wait_for_snapshots(keepers, 2)
        pair.source.execute(*LATER)
        for each in (one, other, one):
            known = keepers.board.kept()
            each.kill()
            each.start()
            wait_for_another_than(known, keepers.board)
        assert rows_at_the_snapshot(keepers) == first
        assert {kept.epoch for kept in keepers.board.kept()} == {1}

        for each in (one, other):
            each.kill()
        for each in (one, other):
            each.start()
        wait_until(
            lambda: [kept.epoch for kept in keepers.board.kept()] == [2, 2], "both keep epoch 2"
        )
        assert rows_at_the_snapshot(keepers) == rows_now(pair.source)


def wait_for_snapshots(keepers: Keepers, number: int) -> None:
    wait_until(lambda: len(keepers.board.kept()) == number, f"{number} keepers are there")


def wait_for_another_than(known: list[Kept], board: Board) -> None:
    wait_until(lambda: set(board.kept()) - set(known), "a keeper has taken the snapshot over again")

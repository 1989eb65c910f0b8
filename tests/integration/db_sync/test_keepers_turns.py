"""When a keeper begins and ends its turn, and when it takes a snapshot of its own."""

import io
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DatabaseUnavailable
from common.postgres.database import connect
from common.postgres.deadline import MARGIN
from common.postgres.target import share_target
from db_sync.parts import keeping
from db_sync.parts.board import End, Kept
from db_sync.parts.shared_snapshot import begin_at, export, lock_first, mark_alive
from tests.integration.db_sync.keepers import (
    LATER,
    NO_TURNS,
    ROWS,
    SCHEMA,
    TABLES,
    TUNING,
    TURN,
    Keepers,
    rows_at_the_snapshot,
    rows_now,
    wait_for_entries,
)
from tests.support.board import MemoryBoard
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'staging-sync parts'
"""


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS)


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


@pytest.mark.parametrize("failed", [False, True])
def test_a_keeper_that_connects_while_the_others_end_takes_no_snapshot(
    failed: bool, board: MemoryBoard, keepers: Keepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PAUSE_AFTER_FAILURE", 0.0)
    keepers.life = 1.0  # ends a turn that should not begin

    def share_and_end(*arguments: Any) -> None:
        share_target(*arguments)
        board.write_end(End(1, failed))

    monkeypatch.setattr(keeping, "share_target", share_and_end)

    if failed:
        with pytest.raises(DatabaseUnavailable, match="redrive"):
            keepers.turn("b")
    else:
        assert keepers.turn("b")
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

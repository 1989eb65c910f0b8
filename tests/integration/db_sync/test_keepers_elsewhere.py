"""Keepers in processes, with a bucket between them, behind a pooler, and on two servers."""

import contextlib
from dataclasses import replace

import pytest

from common.aws.exchange import Exchange
from common.errors import DatabaseUnavailable
from common.postgres.waits import Retry
from db_sync.parts import keeping
from db_sync.parts.board import Board, BucketBoard, Kept
from sandbox.postgres import EmbeddedPostgres, temporary_server
from tests.integration.db_sync.keepers import (
    LATER,
    NO_TURNS,
    ROWS,
    SCHEMA,
    TABLES,
    Boards,
    KeeperProcess,
    Keepers,
    rows_at_the_snapshot,
    rows_now,
    wait_for_entries,
)
from tests.integration.db_sync.standby import standby_of
from tests.support.board import MemoryBoard
from tests.support.databases import Databases, Pair
from tests.support.pooler import pooler_before
from tests.support.waiting import wait_until

HANDOVERS = 6


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS)


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


def test_keepers_hold_a_moment_of_a_standby(board: MemoryBoard, databases: Databases) -> None:
    settings = {"autovacuum": "off"}  # what it removes would end the snapshot
    with temporary_server(settings=settings) as primary, standby_of(primary) as standby:
        production = Databases(primary).make(SCHEMA, ROWS)
        source = standby.database(production.name)
        keepers = Keepers(source.address, databases.make(SCHEMA).address, board, TABLES)
        first = rows_now(source)
        with keepers.running():
            wait_for_entries(board, 2)
            production.execute(*LATER[:-1])
            wait_for_entries(board, 2 + HANDOVERS)
            seen = rows_at_the_snapshot(keepers)

        assert rows_now(standby.database(production.name)) == rows_now(production)
        assert seen == first != rows_now(production)
    assert keepers.errors == []
    assert {kept.epoch for _, kept in board.written} == {1}


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

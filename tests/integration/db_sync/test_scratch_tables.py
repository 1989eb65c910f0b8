"""A schema changes while a sync begins: it is read again if the change matters to the sync."""

import itertools
from collections.abc import Callable

import pytest

from common.errors import TargetBusy
from common.postgres.database import Session
from common.reports.sync import SyncResult
from db_sync.plan.catalog import Catalog
from db_sync.plan.catalog_reading import read_catalog
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.support.databases import Databases, Pair

either_side = pytest.mark.parametrize("side", ["source", "target"])
# After so many changes, one after each reading, the fifth attempt is the first without a change. An
# attempt reads each side twice.
LAST_CHANCE = 8


@pytest.fixture
def pair(databases: Databases) -> Pair:
    rows = "INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) i"
    return databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", source=rows)


def after_each_reading(
    monkeypatch: pytest.MonkeyPatch, side: str, change: Callable[[], None]
) -> None:
    """Change a side's schema each time after it is read."""

    def read_and_change(session: Session) -> Catalog:
        found = read_catalog(session)
        if session.role == side:
            change()
        return found

    monkeypatch.setattr("db_sync.plan.snapshot.read_catalog", read_and_change)


def synced(pair: Pair) -> SyncResult:
    return sync_database(pair.source.address, pair.target.address, SyncOptions("test"))


@either_side
def test_scratch_tables_that_come_and_go_do_not_matter(
    pair: Pair, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = getattr(pair, side)
    numbers = itertools.count(1)

    def come_and_go() -> None:
        number = next(numbers)
        database.execute(f"DROP TABLE IF EXISTS scratch_{number - 1}")
        database.execute(f"CREATE TABLE scratch_{number} (id serial PRIMARY KEY)")

    after_each_reading(monkeypatch, side, come_and_go)

    assert synced(pair).status == "synced"

    assert pair.target.rows("TABLE t ORDER BY id") == pair.source.rows("TABLE t ORDER BY id")


def come_to_both_sides(pair: Pair, side: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create tables that the other side already has, one after each reading."""
    creating = [f"CREATE TABLE late_{number} (id int PRIMARY KEY)" for number in range(count)]
    here, there = pair if side == "source" else reversed(pair)
    there.execute(";".join(creating))

    def create() -> None:
        if creating:
            here.execute(creating.pop())

    after_each_reading(monkeypatch, side, create)


@either_side
def test_a_changing_schema_is_read_up_to_five_times(
    pair: Pair, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_to_both_sides(pair, side, LAST_CHANCE, monkeypatch)

    result = synced(pair)

    assert len(result.tables) == 1 + LAST_CHANCE
    assert pair.target.rows("TABLE t ORDER BY id") == pair.source.rows("TABLE t ORDER BY id")


@either_side
def test_a_schema_that_keeps_changing_is_busy_and_nothing_is_written(
    pair: Pair, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_to_both_sides(pair, side, LAST_CHANCE + 1, monkeypatch)

    with pytest.raises(TargetBusy, match=rf"The schema of the {side} .* changes while it is read"):
        synced(pair)

    assert pair.target.rows("TABLE t") == []

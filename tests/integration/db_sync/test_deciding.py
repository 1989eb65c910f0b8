"""When a sync is divided: if there is no time for it, and nothing in staging to protect."""

import pytest

from common.errors import OutOfTime
from common.postgres.deadline import Deadline
from common.reports.sync import SyncResult
from db_sync.environment import InParts
from db_sync.parts.deciding import sync_or_divide
from db_sync.parts.part import Division
from db_sync.run import SyncOptions
from db_sync.tuning import Rates, Tuning
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair

SCHEMA = "CREATE TABLE t (k int PRIMARY KEY, v text)"
ROWS = "INSERT INTO t SELECT i, repeat('x', 40) FROM generate_series(1, 5000) i; ANALYZE t"
FEW = "INSERT INTO t VALUES (1, 'a tester''s')"


def decide(
    pair: Pair,
    in_parts: InParts,
    rate: float = 1000.0,
    *,
    is_unfinished: bool = False,
    dry_run: bool = False,
) -> SyncResult | Division:
    """Sync with a minute of time, at a rate at which that suffices or does not."""
    options = SyncOptions(
        "test",
        deadline=Deadline.in_milliseconds(75_000),
        tuning=Tuning(rates=Rates(rate, rate), part_seconds=60),
        in_parts=in_parts,
        is_first_load_unfinished=lambda: is_unfinished,
        dry_run=dry_run,
    )
    return sync_or_divide(pair.source.address, pair.target.address, options, lambda _: None, 8)


@pytest.mark.parametrize("in_parts", ["first_load", "when_needed"])
def test_a_first_load_without_time_is_divided_and_nothing_is_written(
    databases: Databases, in_parts: InParts
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)
    found = decide(pair, in_parts)
    assert isinstance(found, Division)
    assert len(found.parts) > 3
    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_a_sync_that_fits_is_done_in_one(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)
    found = decide(pair, "when_needed", rate=1e9)
    assert isinstance(found, SyncResult)
    assert found.atomic
    assert_same(pair)


def test_staging_with_rows_is_not_divided_by_default(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, source=ROWS, target=ROWS)
    pair.source.execute("UPDATE t SET v = 'new'")
    # It is not given up either, as long as the time is not up.
    assert isinstance(decide(pair, "first_load"), SyncResult)
    assert_same(pair)


def test_staging_with_a_few_rows_counts_as_empty(databases: Databases) -> None:
    many = ROWS.replace("5000", "50000")
    assert isinstance(decide(databases.pair(SCHEMA, many, FEW), "first_load"), Division)


def test_a_first_load_that_was_begun_goes_on_in_parts(databases: Databases) -> None:
    half = ROWS.replace("5000", "2500")
    pair = databases.pair(SCHEMA, source=ROWS, target=half)
    assert isinstance(decide(pair, "first_load", is_unfinished=True), Division)


def test_filled_staging_is_divided_where_the_setting_says_so(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, source=ROWS, target=ROWS)
    assert isinstance(decide(pair, "when_needed"), Division)


@pytest.mark.parametrize("in_parts", ["never", "first_load"])
def test_without_time_and_parts_the_error_names_the_setting(
    databases: Databases, in_parts: InParts
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS, target=ROWS)
    options = SyncOptions("test", deadline=Deadline.in_milliseconds(15_000), in_parts=in_parts)
    with pytest.raises(OutOfTime, match=r'in parts.*"in_parts".* in cdk\.json'):
        sync_or_divide(pair.source.address, pair.target.address, options, lambda _: None, 8)


def test_a_dry_run_is_never_divided(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)
    found = decide(pair, "when_needed", dry_run=True)
    assert isinstance(found, SyncResult)
    assert found.status == "dry_run"


def test_what_forbids_parts_is_told_instead(databases: Databases) -> None:
    pair = databases.pair(f"{SCHEMA}; ALTER TABLE t ADD UNIQUE (v) DEFERRABLE")
    pair.source.execute(
        "INSERT INTO t SELECT i, i || repeat('x', 40) FROM generate_series(1, 5000) i"
    )
    with pytest.raises(OutOfTime, match=r"(?s)needs about .* cannot be done in parts.*deferrable"):
        decide(pair, "first_load")

"""Tables that others refer to, each in another part than those: no TRUNCATE may empty them."""

import pytest

from db_sync.parts.jobs import sync_in_parts
from db_sync.run import SyncOptions
from db_sync.tuning import Rates, Tuning
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases

SCHEMA = """
CREATE TABLE parents (id bigint PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE children (id bigint PRIMARY KEY, parent bigint NOT NULL REFERENCES parents);
"""
ROWS = """
INSERT INTO parents SELECT i, 'name {0} ' || i FROM generate_series(1, 3000) i;
INSERT INTO children SELECT i, i FROM generate_series(1, 3000) i;
ANALYZE;
"""
# So slow that each table is a part of its own, but not so slow that it is divided; and both are
# large enough for a TRUNCATE and for new indexes.
TUNING = Tuning(
    rates=Rates(compare=500_000, write=500_000), part_seconds=0.4, min_rows_for_index_rebuild=100
)


@pytest.mark.parametrize("before", ["", ROWS.format("old")], ids=["empty", "with other rows"])
def test_a_table_that_others_refer_to_is_replaced_in_a_part_of_its_own(
    databases: Databases, before: str
) -> None:
    pair = databases.pair(SCHEMA)
    pair.source.execute(ROWS.format("new"))
    if before:
        pair.target.execute(before)

    result = sync_in_parts(
        pair.source.address, pair.target.address, SyncOptions("test", tuning=TUNING), jobs=1
    )

    assert_same(pair)
    assert (result.status, result.verified) == ("synced", True)

"""The counts of a table that is replaced are of the rows that really differ."""

import pytest

from common.reports.sync import TableResult
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

ROWS = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 5000) i"
# In every range of 64 rows, some rows differ.
EDITS = (
    "UPDATE t SET v = v || '!' WHERE id % {1} = 0; DELETE FROM t WHERE id IN (5, 4001);"
    " INSERT INTO t VALUES ({0}1, 'new'), ({0}2, 'new'), ({0}3, 'new')"
)


def counts(table: TableResult) -> tuple[int, int, int]:
    return (table.rows_inserted, table.rows_updated, table.rows_deleted)


def both(pair: Pair, action: str = "copy") -> tuple[TableResult, TableResult]:
    """Return the results of a dry run and of the sync after it; both copy, or both merge."""
    (foreseen,) = sync(pair, dry_run=True).tables
    (done,) = sync(pair).tables
    assert_same(pair)
    assert (foreseen.action, done.action) == (action, action)
    return foreseen, done


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE t (id int, v text, PRIMARY KEY (v, id))",
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
        " CREATE TABLE a PARTITION OF t FOR VALUES FROM (0) TO (2500);"
        " CREATE TABLE b PARTITION OF t FOR VALUES FROM (2500) TO (99999)",
    ],
)
def test_unchanged_rows_are_not_counted(databases: Databases, table: str) -> None:
    pair = databases.pair(table, ROWS, ROWS)
    pair.source.execute(EDITS.format(500, 2))

    foreseen, done = both(pair)

    is_key_changed = "v, id" in table
    assert counts(done) == ((3 + 2500, 0, 2 + 2500) if is_key_changed else (3, 2500, 2))
    assert counts(foreseen) == counts(done)
    assert foreseen.rows == done.rows == 5001


@pytest.mark.parametrize("key", ["id int", "id text"])
def test_a_table_with_a_few_differing_rows_in_every_range_is_merged(
    databases: Databases, key: str
) -> None:
    pair = databases.pair(f"CREATE TABLE t ({key} PRIMARY KEY, v text)", ROWS, ROWS)
    pair.source.execute(EDITS.format(500, 16).replace("id", "id::int"))

    foreseen, done = both(pair, "merge")

    assert counts(foreseen) == counts(done) == (3, 312, 2)
    assert done.reason == "rows differ in most ranges"


def test_a_large_table_is_sampled_by_rows_too(databases: Databases) -> None:
    rows = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 70000) i"
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", rows, rows)
    pair.source.execute(EDITS.format(7000, 16))

    foreseen, done = both(pair, "merge")

    assert counts(foreseen) == counts(done) == (3, 4375, 2)


def test_rows_without_a_key_are_counted_with_their_duplicates(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE log (line text)",
        "INSERT INTO log SELECT 'line ' || i % 3 FROM generate_series(1, 30) i",
        "INSERT INTO log SELECT 'line ' || i % 3 FROM generate_series(1, 24) i;"
        " INSERT INTO log VALUES ('old'), ('old')",
    )

    foreseen, done = both(pair)

    assert counts(foreseen) == counts(done) == (6, 0, 2)


@pytest.mark.parametrize("rows", [("", ROWS), (ROWS, "")])
def test_all_rows_are_counted_if_one_side_is_empty(
    databases: Databases, rows: tuple[str, str]
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", *rows)

    foreseen, done = both(pair)

    expected = (5000, 0, 0) if rows[0] else (0, 0, 5000)
    assert counts(foreseen) == counts(done) == expected

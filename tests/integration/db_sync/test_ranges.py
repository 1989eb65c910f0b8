"""Whatever the key is, ranges find all rows that differ, and few other rows are read."""

import pytest

from common.postgres.database import connect
from db_sync.compare.fingerprint import Totals, of_source
from db_sync.compare.ranges import Ranges, divide, estimate_rows
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.planning import make_plan
from db_sync.rules import SyncRules
from db_sync.tuning import Tuning
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

# A table's key: its SQL type, and an expression of i, which is 1 to 5000.
KEYS = {
    "dense": ("int", "i"),
    "negative": ("bigint", "i - 2500"),
    "sparse": ("bigint", "i::bigint * 1000003"),
    "greatest": ("bigint", "9223372036854775807 - i"),
    "least": ("bigint", "-9223372036854775808 + i"),
    "text": ("text", "'key ' || i"),
    "uuid": ("uuid", "md5(i::text)::uuid"),
    "numeric": ("numeric", "i + 0.50"),
}


def make_pair(databases: Databases, key: str) -> Pair:
    kind, expression = KEYS[key]
    rows = f"INSERT INTO t SELECT {expression}, 'row ' || i FROM generate_series(1, 5000) i"
    return databases.pair(f"CREATE TABLE t (id {kind} PRIMARY KEY, v text)", rows, rows)


def ranges_of(pair: Pair) -> Ranges:
    with (
        connect(pair.source.address, "source", execution="test") as source,
        source.transaction(),
    ):
        catalog = read_catalog(source)
        (plan,) = make_plan(Catalogs(catalog, catalog), SyncRules()).tables
        rows = estimate_rows(source, [plan])
        return divide(source, plan, rows[plan.source.oid], Tuning())


@pytest.mark.parametrize("key", KEYS)
def test_scattered_changes_are_all_found_and_make_few_ranges_dirty(
    databases: Databases, key: str
) -> None:
    pair = make_pair(databases, key)
    pair.source.execute(
        "UPDATE t SET v = v || '!' WHERE v IN ('row 7', 'row 4711');"
        "DELETE FROM t WHERE v = 'row 1234'"
    )
    pair.target.execute("DELETE FROM t WHERE v = 'row 99'")

    result = sync(pair)

    assert_same(pair)
    (table,) = result.tables
    assert (table.rows_updated, table.rows_deleted, table.rows_inserted) == (2, 1, 1)
    assert table.ranges > 30
    assert 0 < table.ranges_changed <= 4
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize("key", KEYS)
def test_rows_whose_key_changes_are_found_on_both_sides(databases: Databases, key: str) -> None:
    pair = make_pair(databases, key)
    pair.source.execute("CREATE TABLE moved AS SELECT * FROM t WHERE v IN ('row 1', 'row 4999')")
    pair.source.execute("DELETE FROM t USING moved WHERE t.v = moved.v")
    pair.source.execute(
        "INSERT INTO t SELECT m.id, n.v FROM moved m JOIN moved n ON m.id <> n.id; DROP TABLE moved"
    )

    assert sync(pair).output()["rows_updated"] == 2
    assert_same(pair)


def test_dense_integer_keys_are_divided_by_value_and_others_by_hash(databases: Databases) -> None:
    by_value = {key: ranges_of(make_pair(databases, key)).shift is not None for key in KEYS}

    assert [key for key, shift in by_value.items() if shift] == [
        "dense",
        "negative",
        "greatest",
        "least",
    ]


def test_totals_are_of_the_same_rows_however_these_are_divided(databases: Databases) -> None:
    pair = make_pair(databases, "dense")
    ranges = [Ranges(ranges_of(pair).plan, count=2**exponent) for exponent in range(12)]
    with (
        connect(pair.source.address, "source", execution="test") as session,
        session.transaction(),
    ):
        totals: list[Totals] = []
        for each in ranges:
            with of_source(session, each) as lines:
                *_, last = lines
            totals.append(Totals.parse(last))

    assert len({each.hash for each in totals}) == 2  # the remainder has the sign of the sum
    assert all(each.has_rows_of(totals[0]) for each in totals)


def test_a_composite_key_is_divided_by_hash(databases: Databases) -> None:
    rows = "INSERT INTO t SELECT i % 7, 'k' || i, i FROM generate_series(1, 5000) i"
    schema = "CREATE TABLE t (a int, b text, v int, PRIMARY KEY (a, b))"
    pair = databases.pair(schema, rows, rows)
    pair.source.execute("UPDATE t SET v = 0 WHERE v = 77; UPDATE t SET a = 9 WHERE v = 78")

    result = sync(pair)

    assert_same(pair)
    assert result.tables[0].ranges_changed <= 3


def test_a_table_that_mostly_differs_is_replaced(databases: Databases) -> None:
    pair = make_pair(databases, "dense")
    pair.source.execute("UPDATE t SET v = v || '!'")

    (table,) = sync(pair).tables

    assert_same(pair)
    assert (table.action, table.reason) == ("copy", "most of it differs")
    assert table.rows_updated == 5000


def test_a_table_that_mostly_differs_keeps_the_targets_own_values(databases: Databases) -> None:
    pair = make_pair(databases, "dense")
    pair.target.execute("ALTER TABLE t ADD own text; UPDATE t SET own = 'own ' || id")
    pair.source.execute("UPDATE t SET v = v || '!'; DELETE FROM t WHERE id = 5")

    (table,) = sync(pair).tables

    assert (table.action, table.rows_updated, table.rows_deleted) == ("merge", 4999, 1)
    assert pair.target.value("SELECT count(*) FROM t WHERE own = 'own ' || id") == 4999


def test_a_value_swapped_between_two_rows_is_a_difference(databases: Databases) -> None:
    # A record's hash is linear in its columns' hashes, so the sum of such hashes would not change.
    pair = make_pair(databases, "dense")
    pair.source.execute(
        "UPDATE t SET v = CASE id WHEN 100 THEN 'row 101' ELSE 'row 100' END WHERE id IN (100, 101)"
    )

    assert sync(pair).output()["rows_updated"] == 2
    assert_same(pair)


def test_trailing_blanks_of_an_unpadded_character_are_data(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v bpchar)",
        source="INSERT INTO t VALUES (1, 'a  ')",
        target="INSERT INTO t VALUES (1, 'a')",
    )

    assert sync(pair).output()["rows_updated"] == 1
    assert_same(pair)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        # Folded to 32 bits, both 64-bit numbers are the same.
        ("bigint", "1", "4294967296"),
        ("bigint", "0", "4294967297"),
        ("timestamptz", "'2000-01-01 00:00:00.000001Z'", "'2000-01-01 01:11:34.967296Z'"),
        ("timestamp", "'2000-01-01 00:00:00.000001'", "'2000-01-01 01:11:34.967296'"),
        ("time", "'00:00:00.000001'", "'01:11:34.967296'"),
    ],
)
def test_values_that_differ_only_in_their_upper_half_are_a_difference(
    databases: Databases, kind: str, old: str, new: str
) -> None:
    pair = databases.pair(
        f"CREATE TABLE t (id int PRIMARY KEY, v {kind})",
        f"INSERT INTO t VALUES (1, {new})",
        f"INSERT INTO t VALUES (1, {old})",
    )

    assert sync(pair).output()["rows_updated"] == 1
    assert_same(pair)


LARGE = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 80000) i"


def test_a_sample_shows_that_a_large_table_was_rewritten(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", LARGE, LARGE)
    pair.source.execute("UPDATE t SET v = v || '!'")
    pair.target.execute("DELETE FROM t WHERE id % 1000 = 0")

    (table,) = sync(pair).tables

    assert_same(pair)
    assert (table.action, table.reason) == ("copy", "most of a sample differs")
    assert (table.rows_inserted, table.rows_updated) == (80, 79920)


def test_a_table_is_not_replaced_because_a_sample_contains_some_changes(
    databases: Databases,
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", LARGE, LARGE)
    pair.source.execute("UPDATE t SET v = v || '!' WHERE id BETWEEN 20000 AND 50000")

    (table,) = sync(pair).tables

    assert_same(pair)
    assert (table.action, table.rows_updated) == ("merge", 30001)

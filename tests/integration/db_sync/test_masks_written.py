"""Masked tables are compared by ranges, merged, replaced and counted as others are."""

from typing import Any

import pytest

from common.reports.sync import SyncResult
from tests.integration.db_sync.masking import Masks, sync_masked
from tests.support.databases import Databases, Pair

COUNT = 3000


def written(result: SyncResult) -> tuple[str, int, int, int]:
    (table,) = result.tables
    return table.action, table.rows_inserted, table.rows_updated, table.rows_deleted


KEYS = {
    "bigint": ("bigint", "i", "hash"),
    "uuid": ("uuid", "('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid", "uuid"),
    "text": ("text", "'Key ' || i", "hash"),
    "email": ("text", "'User' || i || '@x.org'", "email"),
    "bytea": ("bytea", "int4send(i)", "hash"),
}


@pytest.mark.parametrize(("type_", "value", "kind"), KEYS.values(), ids=KEYS.keys())
def test_a_table_with_a_masked_key_is_merged_row_by_row(
    databases: Databases, type_: str, value: str, kind: str
) -> None:
    insert = f"INSERT INTO t SELECT {value}, 'row ' || i FROM generate_series"
    pair = databases.pair(
        f"CREATE TABLE t (k {type_} PRIMARY KEY, v text)",
        source=f"{insert}(1, {COUNT}) i; ANALYZE t",
    )
    masks: Masks = {"public.t.k": kind}
    others: dict[str, Any] = {"reviewed": ["public.t.v"]}
    sync_masked(pair, masks, **others)
    assert pair.target.value("SELECT count(DISTINCT k) FROM t") == COUNT
    assert sync_masked(pair, masks, **others).status == "unchanged"

    pair.source.execute(
        f"UPDATE t SET v = 'changed' WHERE k IN (SELECT {value} FROM generate_series(7, 7) i);"
        f"DELETE FROM t WHERE k IN (SELECT {value} FROM generate_series(8, 9) i);"
        f"{insert}(5001, 5003) i"
    )
    planned = sync_masked(pair, masks, dry_run=True, **others)
    result = sync_masked(pair, masks, **others)

    assert written(planned) == written(result) == ("merge", 3, 1, 2)
    (table,) = result.tables
    assert table.ranges > 20
    assert table.ranges_changed <= 6
    assert pair.target.value("SELECT count(*) FROM t WHERE v = 'changed'") == 1
    assert sync_masked(pair, masks, **others).status == "unchanged"


def test_masked_values_of_rows_that_stay_are_not_written_again(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, name text, n int)",
        source=f"INSERT INTO t SELECT i, 'Name ' || i, 0 FROM generate_series(1, {COUNT}) i",
    )
    sync_masked(pair, {"public.t.name": "name"})
    pair.source.execute(
        "UPDATE t SET n = 1 WHERE id = 5; UPDATE t SET name = 'x y' WHERE id = 2000"
    )

    result = sync_masked(pair, {"public.t.name": "name"})

    assert written(result) == ("merge", 0, 2, 0)


def test_a_change_of_a_rule_rewrites_what_differs_as_a_dry_run_says(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        source=f"INSERT INTO t SELECT i, CASE WHEN i <= 20 THEN 'Value' || i END"
        f" FROM generate_series(1, {COUNT}) i",
    )
    sync_masked(pair, {"public.t.v": "hash"})

    planned = sync_masked(pair, {"public.t.v": "text"}, dry_run=True)
    result = sync_masked(pair, {"public.t.v": "text"})

    assert written(planned) == written(result) == ("merge", 0, 20, 0)


def test_values_that_were_changed_in_the_target_are_masked_again(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        source="INSERT INTO t SELECT i, 'Value' || i FROM generate_series(1, 100) i",
    )
    sync_masked(pair, {"public.t.v": "hash"})
    before = pair.target.contents()
    pair.target.execute("UPDATE t SET v = 'changed' WHERE id < 3; DELETE FROM t WHERE id = 9")

    sync_masked(pair, {"public.t.v": "hash"})

    assert pair.target.contents() == before


def test_a_table_without_a_key_is_replaced(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (a int, v text)",
        source="INSERT INTO t SELECT i % 10, 'Value' || i % 7 FROM generate_series(1, 500) i",
        target="INSERT INTO t VALUES (1, 'old')",
    )
    masks: Masks = {"public.t.v": "hash"}

    planned = sync_masked(pair, masks, dry_run=True)
    result = sync_masked(pair, masks)

    assert written(planned) == written(result)
    assert written(result)[0] == "copy"
    assert pair.target.value("SELECT count(DISTINCT v) FROM t WHERE length(v) = 32") == 7
    assert sync_masked(pair, masks).status == "unchanged"
    pair.source.execute("UPDATE t SET v = 'other' WHERE a = 3")
    assert sync_masked(pair, masks).status == "synced"
    assert pair.target.value("SELECT count(DISTINCT v) FROM t") == 8


def test_generated_columns_are_computed_from_masked_values(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, name text, low text GENERATED ALWAYS AS (lower(name))"
        " STORED, words tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED)",
        source=f"INSERT INTO t SELECT i, 'Zora' || i FROM generate_series(1, {COUNT}) i",
    )
    masks: Masks = {"public.t.name": "hash"}
    sync_masked(pair, masks)
    pair.source.execute("UPDATE t SET name = 'Zora' WHERE id = 5")

    result = sync_masked(pair, masks)

    assert written(result) == ("merge", 0, 1, 0)
    assert pair.target.value("SELECT count(*) FROM t WHERE low = name") == COUNT
    assert pair.target.value("SELECT count(*) FROM t WHERE words @@ to_tsquery('z:*')") == 0
    assert "ora" not in pair.target.contents()


CONVERTED = {
    "int to text": ("int", "text", "i", "hash"),
    "text to varchar": ("text", "varchar(12)", "'Value ' || i", "hash"),
    "varchar to text": ("varchar(20)", "text", "'Value ' || i", "text"),
    "int to bigint": ("int", "bigint", "i", "hash"),
    "bigint to numeric": ("bigint", "numeric(12, 2)", "i", "number"),
    "date to timestamp": ("date", "timestamp", "date '2000-01-01' + i", "date"),
    "text to uuid": (
        "uuid",
        "text",
        "('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid",
        "uuid",
    ),
    "json to jsonb": (
        "json",
        "jsonb",
        "json_build_object('a', i)",
        {"with": "json", "paths": {"$.a": "hash"}},
    ),
    "varchar array": ("varchar(20)[]", "text[]", "ARRAY['Value ' || i, NULL]", "hash"),
    "to a domain": ("text", "short", "'Value ' || i", "hash"),
    "from a domain": ("short", "text", "'Value ' || i", "hash"),
    "enum": ("mood", "text", "(ARRAY['sad', 'glad'])[1 + i % 2]::mood", "hash"),
}


@pytest.mark.parametrize(
    ("ours", "theirs", "value", "rule"), CONVERTED.values(), ids=CONVERTED.keys()
)
def test_a_column_that_is_converted_is_masked_as_the_target_has_it(
    databases: Databases, ours: str, theirs: str, value: str, rule: Any
) -> None:
    types = "CREATE DOMAIN short AS varchar(15); CREATE TYPE mood AS ENUM ('sad', 'glad');"
    pair = Pair(
        databases.make(
            f"{types} CREATE TABLE t (id int PRIMARY KEY, v {ours})",
            f"INSERT INTO t SELECT i, {value} FROM generate_series(1, 200) i",
        ),
        databases.make(f"{types} CREATE TABLE t (id int PRIMARY KEY, v {theirs})"),
    )
    pair.target.mark()
    masks: Masks = {"public.t.v": rule}

    sync_masked(pair, masks)

    assert pair.target.value("SELECT count(v) FROM t") == 200
    originals = {str(each) for (each,) in pair.source.rows("SELECT v FROM t")}
    assert not originals & {str(each) for (each,) in pair.target.rows("SELECT v FROM t")}
    assert sync_masked(pair, masks).status == "unchanged"


def test_columns_of_one_side_only_are_not_in_the_way(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        source="INSERT INTO t SELECT i, 'Value' || i FROM generate_series(1, 100) i;"
        " ALTER TABLE t ADD COLUMN email text DEFAULT 'ada@x.org'",
    )
    pair.target.execute("ALTER TABLE t ADD COLUMN phone text DEFAULT 'none'")
    masks: Masks = {"public.t.v": "hash", "public.t.email": "email", "public.t.phone": "phone"}

    result = sync_masked(pair, masks)

    assert result.masked.keys() == {"public.t.v"}
    assert pair.target.value("SELECT count(*) FROM t WHERE phone = 'none'") == 100
    assert sync_masked(pair, masks).status == "unchanged"


def test_a_kept_column_gets_the_masked_value_in_new_rows(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text, k text UNIQUE)",
        source="INSERT INTO t SELECT i, 'Value' || i, 'Key' || i FROM generate_series(1, 100) i",
        target="INSERT INTO t VALUES (1, 'old', 'own')",
    )
    masks: Masks = {"public.t.k": "hash", "public.t.v": "text"}

    result = sync_masked(pair, masks, keep=["public.t.k"])

    assert result.masked.keys() == {"public.t.k", "public.t.v"}
    assert pair.target.value("SELECT k FROM t WHERE id = 1") == "own"
    assert pair.target.value("SELECT count(*) FROM t WHERE length(k) = 32") == 99
    assert sync_masked(pair, masks, keep=["public.t.k"]).status == "unchanged"


def test_rows_that_exchange_masked_unique_values_are_merged(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE)",
        source=f"INSERT INTO t SELECT i, 'Value' || i FROM generate_series(1, {COUNT}) i",
    )
    sync_masked(pair, {"public.t.v": "hash"})
    pair.source.execute(
        "UPDATE t SET v = 'x' WHERE id = 1; UPDATE t SET v = 'Value1' WHERE id = 2;"
        " UPDATE t SET v = 'Value2' WHERE id = 1"
    )

    assert written(sync_masked(pair, {"public.t.v": "hash"})) == ("merge", 0, 2, 0)
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"

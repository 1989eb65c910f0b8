"""Columns and tables that only one of the two schemas has."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.schema_pairs import make_pair, make_pair_with_values, values_of
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases


def test_a_column_of_the_source_only_is_ignored_with_a_warning(databases: Databases) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v text, extra int)",
        "CREATE TABLE t (v text, id int PRIMARY KEY)",
        "INSERT INTO t VALUES (1, 'a', 5)",
    )

    result = sync(pair)

    assert pair.target.rows("SELECT id, v FROM t") == [(1, "a")]
    assert result.warnings == (
        "Column public.t.extra exists in the source only and is not copied.",
    )


def test_many_warnings_are_cut_in_the_output_and_complete_in_the_report(
    databases: Databases,
) -> None:
    tables = "".join(f"CREATE TABLE only_{i} ();" for i in range(30))
    pair = make_pair(databases, tables, "")

    result = sync(pair)

    assert len(result.report()["notices"]) == 30
    assert len(result.output()["warnings"]) == 21
    assert result.output()["warnings"][-1] == "10 more warnings are in the report."


def test_a_column_of_the_target_only_keeps_its_values_and_new_rows_get_its_default(
    databases: Databases,
) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE t (id int PRIMARY KEY, v text, own text NOT NULL DEFAULT 'fresh')",
        "INSERT INTO t VALUES (1, 'same'), (2, 'new'), (3, 'added')",
        "INSERT INTO t VALUES (1, 'same', 'a'), (2, 'old', 'b'), (4, 'gone', 'c')",
    )

    sync(pair)

    assert pair.target.rows("TABLE t ORDER BY id") == [
        (1, "same", "a"),
        (2, "new", "b"),
        (3, "added", "fresh"),
    ]


def test_every_mismatch_of_the_schemas_is_reported_at_once(databases: Databases) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE a (id int PRIMARY KEY, at timestamptz); CREATE TABLE b (id int PRIMARY KEY)",
        "CREATE TABLE a (id int PRIMARY KEY, at int);"
        "CREATE TABLE b (id int PRIMARY KEY, must text NOT NULL)",
    )

    with pytest.raises(SchemaMismatch) as mismatch:
        sync(pair)

    assert "public.a.at is timestamp with time zone in the source and integer" in str(
        mismatch.value
    )
    assert "public.b.must exists in the target only, is NOT NULL" in str(mismatch.value)


def test_a_partition_tree_with_a_foreign_table_is_not_written(databases: Databases) -> None:
    tree = """
        CREATE TABLE t (id int) PARTITION BY RANGE (id);
        CREATE TABLE here PARTITION OF t FOR VALUES FROM (0) TO (10);
        """
    pair = make_pair(databases, tree, tree, "INSERT INTO t VALUES (1)")
    pair.target.execute(
        "CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing;"
        "CREATE FOREIGN TABLE there PARTITION OF t FOR VALUES FROM (10) TO (20) SERVER far"
    )

    result = sync(pair)

    assert pair.target.value("SELECT count(*) FROM here") == 0
    assert result.warnings == (
        "Table public.t is not synced: one of its partitions is a foreign table.",
    )


def test_a_column_generated_in_the_target_only_is_not_copied_and_a_warning_says_so(
    databases: Databases,
) -> None:
    pair = make_pair_with_values(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "CREATE TABLE t (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) STORED)",
        "5",
    )

    result = sync(pair)

    assert values_of(pair) == ["2"]
    assert result.warnings == (
        "Column public.t.v is generated in the target only and is not copied.",
    )


def test_a_column_generated_in_the_source_only_is_copied(databases: Databases) -> None:
    pair = make_pair_with_values(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) STORED)",
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "DEFAULT",
    )

    sync(pair)

    assert values_of(pair) == ["2"]


def test_a_column_of_the_target_only_whose_domain_is_not_null_is_refused(
    databases: Databases,
) -> None:
    pair = make_pair_with_values(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE DOMAIN given AS text NOT NULL; CREATE TABLE t (id int PRIMARY KEY, v given)",
    )

    with pytest.raises(
        SchemaMismatch, match=r"public\.t\.v exists in the target only, is NOT NULL"
    ):
        sync(pair)

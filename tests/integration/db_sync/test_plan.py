"""What differs between the two schemas, and what becomes of it."""

import json

import pytest

from common.errors import ConfigurationError, SchemaMismatch
from db_sync.plan.left_alone import TOOLS
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases, Pair

KEEP_SUB = SyncRules.parse('{"keep": ["public.users.cognito_sub"]}')
USERS = "CREATE TABLE users (id int PRIMARY KEY, name text, cognito_sub text {constraint})"


def make_pair(
    databases: Databases, source: str, target: str, rows: str = "", target_rows: str = ""
) -> Pair:
    pair = Pair(databases.make(source, rows), databases.make(target, target_rows))
    pair.target.mark()
    return pair


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


def test_many_warnings_are_cut_in_the_output_and_whole_in_the_report(
    databases: Databases,
) -> None:
    tables = "".join(f"CREATE TABLE only_{i} ();" for i in range(30))
    pair = make_pair(databases, tables, "")

    result = sync(pair)

    assert len(result.report()["warnings"]) == 30
    assert len(result.output()["warnings"]) == 21
    assert result.output()["warnings"][-1] == "10 more warnings stand in the report."


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


def test_every_reason_against_the_schemas_is_reported_at_once(databases: Databases) -> None:
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


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("int", "bigint", "5"),
        ("int", "text", "5"),
        ("varchar(10)", "text", "'five'"),
        ("text", "varchar(10)", "'five'"),
        ("varchar(10)", "varchar(20)", "'five'"),
        ("numeric(8,4)", "numeric(8,2)", "1.005"),
        ("date", "timestamptz", "'2020-02-02'"),
        ("text", "jsonb", """'{"a": 1.50}'"""),
    ],
)
def test_another_type_with_an_assignment_cast_is_cast(
    databases: Databases, source: str, target: str, value: str
) -> None:
    pair = make_pair(
        databases,
        f"CREATE TABLE t (id int PRIMARY KEY, v {source})",
        f"CREATE TABLE t (id int PRIMARY KEY, v {target})",
        f"INSERT INTO t VALUES (1, {value})",
    )

    sync(pair)

    expected = pair.source.value(f"SET timezone = 'UTC'; SELECT v::{target}::text FROM t")
    assert pair.target.value("SET timezone = 'UTC'; SELECT v::text FROM t") == expected
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("int[]", "'{1,NULL,3}'", "[1, null, 3]"),
        ("numeric", "1.50", "1.50"),
        ("boolean", "true", "true"),
        ("point_of_sale", "ROW(7, 'till')", '{"x": 7, "y": "till"}'),
    ],
)
def test_arrays_numbers_booleans_and_composites_become_json(
    databases: Databases, source: str, value: str, expected: str
) -> None:
    pair = make_pair(
        databases,
        f"CREATE TYPE point_of_sale AS (x int, y text);"
        f"CREATE TABLE t (id int PRIMARY KEY, v {source})",
        "CREATE TABLE t (id int PRIMARY KEY, v jsonb)",
        f"INSERT INTO t VALUES (1, {value})",
    )

    sync(pair)

    assert pair.target.value("SELECT v::text FROM t") == expected
    assert sync(pair).status == "unchanged"


def test_a_text_that_is_no_json_is_refused_with_its_table_and_column(databases: Databases) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE t (id int PRIMARY KEY, v jsonb)",
        "INSERT INTO t VALUES (1, 'secret-word')",
    )

    with pytest.raises(SchemaMismatch, match=r"The table is public\.t, converting v\.") as no:
        sync(pair)

    assert "secret-word" not in str(no.value)


def test_a_text_too_long_for_the_target_is_refused_and_not_cut(databases: Databases) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(3))",
        "INSERT INTO t VALUES (1, 'four')",
    )

    with pytest.raises(SchemaMismatch, match="StringDataRightTruncation"):
        sync(pair)


def test_a_kept_column_is_neither_compared_nor_overwritten(databases: Databases) -> None:
    pair = databases.pair(
        USERS.format(constraint="UNIQUE"),
        source="INSERT INTO users VALUES (1, 'Ana', 'prod-1'), (2, 'Bo', 'prod-2')",
        target="INSERT INTO users VALUES (1, 'Ana', 'stag-1'), (2, 'Old', 'stag-2')",
    )

    result = sync(pair, rules=KEEP_SUB)

    assert pair.target.rows("TABLE users ORDER BY id") == [
        (1, "Ana", "stag-1"),
        (2, "Bo", "stag-2"),
    ]
    assert result.output()["rows_updated"] == 1
    assert sync(pair, rules=KEEP_SUB).status == "unchanged"


@pytest.mark.parametrize(
    ("constraint", "lost"), [("UNIQUE", "None"), ("UNIQUE NOT NULL", "unlinked:")]
)
def test_a_new_row_takes_its_kept_value_from_the_row_that_holds_it(
    databases: Databases, constraint: str, lost: str
) -> None:
    pair = databases.pair(
        USERS.format(constraint=constraint),
        source="INSERT INTO users VALUES (1, 'Ana', 'a'), (2, 'Bo', 'b'), (3, 'Cy', 'shared')",
        target="INSERT INTO users VALUES (1, 'Ana', 'shared'), (2, 'Old', 'x')",
    )

    result = sync(pair, rules=KEEP_SUB)

    subs = dict(pair.target.rows("SELECT id, cognito_sub FROM users"))
    assert (subs[2], subs[3]) == ("x", "shared")
    assert str(subs[1]).startswith(lost)
    (table,) = result.tables
    assert table.rows_unlinked == 1
    assert result.warnings == (
        "1 rows of public.users lost their value of a kept column: another row brings it, or the"
        " row is another person's in production.",
    )


@pytest.mark.parametrize("child", ["", "CREATE TABLE log (user_id int REFERENCES users)"])
def test_a_kept_value_that_is_unique_within_a_tenant_is_taken_there_only(
    databases: Databases, child: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, tenant int, cognito_sub text,"
        f" UNIQUE (tenant, cognito_sub)); {child}",
        source="INSERT INTO users VALUES (1, 8, 'a'), (2, 7, 'b'), (3, 8, 'shared')",
        target="INSERT INTO users VALUES (1, 7, 'shared'), (2, 7, 'other'), (4, 8, 'shared')",
    )

    result = sync(pair, rules=KEEP_SUB)

    assert pair.target.rows("TABLE users ORDER BY id") == [
        (1, 8, None),  # came into tenant 8, where the new row has its sub
        (2, 7, "other"),
        (3, 8, "shared"),
    ]
    assert sum(table.rows_unlinked for table in result.tables) == 1

    pair.source.execute("INSERT INTO users VALUES (5, 9, 'other')")
    again = sync(pair, rules=KEEP_SUB)
    assert sum(table.rows_unlinked for table in again.tables) == 0, "tenant 7 keeps its own"


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ("[]", "JSON object"),
        ("{", "not JSON"),
        ('{"exlude": []}', '"exclude", "include", "keep" and "event_triggers_ok" only'),
        ('{"event_triggers_ok": "true"}', '"event_triggers_ok" must be true or false'),
        ('{"exclude": "public.a"}', '"exclude" must be a list'),
        ('{"exclude": ["a"]}', '"schema.table"'),
        ('{"keep": ["public.a"]}', '"schema.table.column"'),
        ('{"exclude": ["public.a"], "include": ["public.a"]}', r"both name public\.a"),
        ('{"include": ["public.nowhere"]}', r"public\.nowhere .* exists on neither side"),
        ('{"exclude": ["public.nowhere"]}', r"public\.nowhere .* exists on neither side"),
    ],
)
def test_a_malformed_or_void_rule_is_refused(databases: Databases, rules: str, named: str) -> None:
    pair = databases.pair("CREATE TABLE a (id int)")

    with pytest.raises(ConfigurationError, match=named):
        sync(pair, rules=SyncRules.parse(rules))


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


@pytest.mark.parametrize("table", sorted(TOOLS))
def test_a_table_that_a_migration_tool_may_own_is_left_alone_and_named(
    databases: Databases, table: str
) -> None:
    pair = databases.pair(
        f'CREATE TABLE "{table}" (id int)', source=f'INSERT INTO "{table}" VALUES (1)'
    )

    result = sync(pair)

    assert pair.target.value(f'SELECT count(*) FROM "{table}"') == 0
    (warning,) = result.warnings
    assert warning.startswith(f"Table public.{table} is not synced: {TOOLS[table]} notes")
    assert f'"include": ["public.{table}"]' in warning


@pytest.mark.parametrize("table", ["migrations", "alembic_version", "audit.2024"])
def test_a_table_that_the_rules_include_is_synced_whatever_its_name(
    databases: Databases, table: str
) -> None:
    pair = databases.pair(
        f'CREATE TABLE "{table}" (id int)', source=f'INSERT INTO "{table}" VALUES (1)'
    )

    result = sync(pair, rules=SyncRules.parse(json.dumps({"include": [f'public."{table}"']})))

    assert pair.target.value(f'SELECT count(*) FROM "{table}"') == 1
    assert result.warnings == ()


def test_a_table_with_a_dot_in_its_name_is_excluded_by_a_quoted_one(databases: Databases) -> None:
    pair = databases.pair(
        'CREATE TABLE "audit.2024" (id int)', source='INSERT INTO "audit.2024" VALUES (1)'
    )

    sync(pair, rules=SyncRules.parse(json.dumps({"exclude": ['public."audit.2024"']})))

    assert pair.target.value('SELECT count(*) FROM "audit.2024"') == 0

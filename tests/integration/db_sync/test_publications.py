"""Tables of the target that are published: merged, or replaced where updates are refused."""

import pytest

from common.errors import ConfigurationError
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

# PostgreSQL refuses UPDATE and DELETE on those that begin with `no_` while they are published.
SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE no_primary (id int NOT NULL UNIQUE, v text);
CREATE TABLE no_key (id int, v text);
CREATE TABLE no_identity (id int PRIMARY KEY, parent int REFERENCES no_identity, v text);
ALTER TABLE no_identity REPLICA IDENTITY NOTHING;
CREATE TABLE no_deferred (id int PRIMARY KEY DEFERRABLE, v text, more int NOT NULL UNIQUE);
CREATE TABLE no_part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE no_part_1 PARTITION OF no_part FOR VALUES FROM (0) TO (50);
CREATE TABLE no_part_2 PARTITION OF no_part DEFAULT;
ALTER TABLE no_part_1 REPLICA IDENTITY NOTHING;
CREATE TABLE shop.full_row (id int NOT NULL UNIQUE, v text);
ALTER TABLE shop.full_row REPLICA IDENTITY FULL;
CREATE TABLE shop.by_index (id int PRIMARY KEY, code int NOT NULL, v text);
CREATE UNIQUE INDEX code ON shop.by_index (code);
ALTER TABLE shop.by_index REPLICA IDENTITY USING INDEX code;
CREATE TABLE shop.plain (id int PRIMARY KEY, v text);
CREATE TABLE shop.parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE shop.part PARTITION OF shop.parted DEFAULT;
"""
TABLES = [
    *("no_primary", "no_key", "no_identity", "no_deferred", "no_part"),
    *("shop.full_row", "shop.by_index", "shop.plain", "shop.parted"),
]


def rows(table: str, value: str) -> str:
    """Return a statement that inserts 100 rows, one of them with `value`."""
    value = f"CASE i WHEN 7 THEN '{value}' ELSE i::text END"
    columns = {
        "no_identity": f"i, nullif(i - 1, 0), {value}",
        "no_deferred": f"i, {value}, i",
        "shop.by_index": f"i, i, {value}",
    }.get(table, f"i, {value}")
    return f"INSERT INTO {table} SELECT {columns} FROM generate_series(1, 100) i;"


def published(databases: Databases, *statements: str) -> Pair:
    """Return a pair in which each table differs in one row; `statements` run on the target."""
    return databases.pair(
        SCHEMA,
        source="".join(rows(table, "new") for table in TABLES),
        target="".join(rows(table, "old") for table in TABLES) + ";".join(statements),
    )


KINDS = {
    "all tables": "CREATE PUBLICATION p FOR ALL TABLES",
    "single tables": "CREATE PUBLICATION p FOR TABLE no_primary, no_key, no_identity, no_deferred,"
    " no_part, shop.full_row, shop.by_index, shop.plain, shop.parted",
    "schemas": "CREATE PUBLICATION p FOR TABLES IN SCHEMA public, shop",
    "by the root": "CREATE PUBLICATION p FOR ALL TABLES WITH (publish_via_partition_root)",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_on_which_updates_and_deletes_are_refused_is_replaced(
    databases: Databases, kind: str
) -> None:
    pair = published(databases, KINDS[kind])

    foreseen = sync(pair, dry_run=True)
    result = sync(pair)

    assert_same(pair)
    for tables in (foreseen.tables, result.tables):
        replaced = {table.table for table in tables if table.action == "copy"}
        assert replaced == {f"public.{table}" for table in TABLES if table.startswith("no_")}
    reasons = {table.reason for table in result.tables if table.table == "public.no_primary"}
    assert reasons == {"rows differ, and its publication needs a replica identity to change some"}
    assert sync(pair).status == "unchanged"


def test_a_plain_owners_tables_are_replaced_too(databases: Databases) -> None:
    pair = published(databases, KINDS["all tables"])
    target = own_tables(pair, "table_owner")
    pair.target.execute(
        "ALTER SCHEMA shop OWNER TO table_owner;"
        + "".join(f"ALTER TABLE {table} OWNER TO table_owner;" for table in TABLES[5:])
    )

    sync(pair, target=target)

    assert_same(pair)


def test_a_table_on_which_publications_refuse_nothing_is_merged(databases: Databases) -> None:
    pair = published(
        databases,
        "CREATE PUBLICATION inserts FOR ALL TABLES WITH (publish = 'insert')",
        "CREATE PUBLICATION single FOR TABLE shop.plain (id, v)",
        "CREATE PUBLICATION filtered FOR TABLE shop.by_index WHERE (code > 0)",
    )

    result = sync(pair)

    assert_same(pair)
    replaced = {table.table for table in result.tables if table.action == "copy"}
    assert replaced == {"public.no_key"}


@pytest.mark.parametrize("made_by", ["databases", "system_databases"])
def test_a_replica_identity_that_does_not_suit_a_row_filter_or_column_list_is_recognized(
    made_by: str, request: pytest.FixtureRequest
) -> None:
    pair = published(
        request.getfixturevalue(made_by),
        "CREATE PUBLICATION filtered FOR TABLE shop.plain WHERE (v <> ''),"
        " shop.full_row WHERE (v <> ''), shop.parted WHERE (v <> '')"
        " WITH (publish_via_partition_root)",
        "CREATE PUBLICATION listed FOR TABLE shop.by_index (id, v)",
    )

    result = sync(pair)

    assert_same(pair)
    replaced = {table.table for table in result.tables if table.action == "copy"}
    assert replaced == {"public.no_key", "shop.by_index", "shop.plain", "shop.parted"}


def test_a_generated_column_in_a_replica_identity_that_is_not_published_is_recognized(
    databases: Databases,
) -> None:
    """From PostgreSQL 18 on."""
    pair = databases.pair(
        """
        CREATE TABLE refused (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v + 1) STORED);
        CREATE TABLE virtual (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v + 1));
        CREATE TABLE taken (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v + 1) STORED);
        ALTER TABLE refused REPLICA IDENTITY FULL;
        ALTER TABLE virtual REPLICA IDENTITY FULL;
        ALTER TABLE taken REPLICA IDENTITY FULL
        """,
        source="INSERT INTO refused VALUES (1, 1); INSERT INTO virtual VALUES (1, 1);"
        "INSERT INTO taken VALUES (1, 1);",
        target="INSERT INTO refused VALUES (1, 2); INSERT INTO virtual VALUES (1, 2);"
        "INSERT INTO taken VALUES (1, 2); CREATE PUBLICATION p FOR TABLE refused;"
        "CREATE PUBLICATION stored FOR TABLE virtual, taken"
        " WITH (publish_generated_columns = stored)",
    )

    actions = {table.table: table.action for table in sync(pair).tables}

    assert_same(pair)
    assert actions == {"public.refused": "copy", "public.virtual": "copy", "public.taken": "merge"}


def test_what_cannot_be_replaced_either_is_refused_at_once(databases: Databases) -> None:
    pair = published(
        databases,
        "CREATE PUBLICATION p FOR TABLE no_identity, no_deferred, shop.plain",
        "CREATE PUBLICATION no_truncate FOR TABLE no_primary WITH (publish = 'insert, delete')",
        "CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES no_identity)",
    )
    before = pair.target.contents()
    rules = SyncRules.parse('{"keep": ["public.no_deferred.v"]}')

    for dry_run in (True, False):
        with pytest.raises(ConfigurationError) as refused:
            sync(pair, rules=rules, dry_run=dry_run)

        said = str(refused.value)
        for table in ("no_identity", "no_deferred", "no_primary"):
            assert f'ALTER TABLE "public"."{table}" REPLICA IDENTITY FULL;' in said
        assert "plain" not in said
        assert pair.target.contents() == before

    for table in ("no_identity", "no_deferred", "no_primary"):
        pair.target.execute(f"ALTER TABLE {table} REPLICA IDENTITY FULL")
    assert {table.action for table in sync(pair, rules=rules).tables} == {
        *("merge", "copy", "none")
    }


def test_rows_are_deleted_one_by_one_if_truncate_is_not_published(databases: Databases) -> None:
    """TRUNCATE would give the table a new file."""
    pair = published(
        databases,
        "CREATE PUBLICATION no_truncate FOR ALL TABLES WITH (publish = 'insert, update, delete')",
        *(f"ALTER TABLE {table} REPLICA IDENTITY FULL" for table in TABLES if table[:3] == "no_"),
        *(f"ALTER TABLE no_part_{n} REPLICA IDENTITY FULL" for n in (1, 2)),
    )
    file = "SELECT pg_relation_filenode('no_key')"
    before = pair.target.value(file)

    sync(pair)

    assert_same(pair)
    assert pair.target.value(file) == before

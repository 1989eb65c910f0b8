"""Rules that are malformed, and tables that are left alone or included by a rule."""

import json

import pytest

from common.errors import ConfigurationError
from db_sync.plan.left_alone import TOOLS
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ("[]", "JSON object"),
        ("{", "not JSON"),
        ('{"exlude": []}', '"exclude", "include", "keep", .* and "parallel_query" only'),
        ('{"mask": {"a.b.c": "hash", "a.b.c": "null"}}', r"have a\.b\.c twice in one object"),
        ('{"event_triggers_ok": "true"}', '"event_triggers_ok" must be true or false'),
        ('{"parallel_query": null}', '"parallel_query" must be true or false'),
        ('{"exclude": "public.a"}', '"exclude" must be a list'),
        ('{"exclude": ["a"]}', '"schema.table"'),
        ('{"keep": ["public.a"]}', '"schema.table.column"'),
        ('{"exclude": ["public.a"], "include": ["public.a"]}', r"both name public\.a"),
        ('{"include": ["public.nowhere"]}', r"public\.nowhere .* exists on neither side"),
        ('{"exclude": ["public.nowhere"]}', r"public\.nowhere .* exists on neither side"),
    ],
)
def test_a_rule_that_is_malformed_or_names_what_does_not_exist_is_refused(
    databases: Databases, rules: str, named: str
) -> None:
    pair = databases.pair("CREATE TABLE a (id int)")

    with pytest.raises(ConfigurationError, match=named):
        sync(pair, rules=SyncRules.parse(rules))


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
    assert warning.startswith(f"Table public.{table} is not synced: {TOOLS[table]} records")
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


def test_a_table_with_a_dot_in_its_name_is_excluded_by_its_quoted_name(
    databases: Databases,
) -> None:
    pair = databases.pair(
        'CREATE TABLE "audit.2024" (id int)', source='INSERT INTO "audit.2024" VALUES (1)'
    )

    sync(pair, rules=SyncRules.parse(json.dumps({"exclude": ['public."audit.2024"']})))

    assert pair.target.value('SELECT count(*) FROM "audit.2024"') == 0

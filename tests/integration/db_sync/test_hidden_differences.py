"""Differences that a cast to text hides, and kept values under different unique indexes."""

import pytest

from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases

# A type whose cast to text shows less than its output, and two values with the same text.
CASTS = {
    "a domain over bpchar": ("CREATE DOMAIN kind AS bpchar", "'a '", "'a'"),
    "a cast of an enum": (
        "CREATE TYPE kind AS ENUM ('a', 'b');"
        "CREATE FUNCTION show(kind) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'one' $$;"
        "CREATE CAST (kind AS text) WITH FUNCTION show(kind)",
        "'a'",
        "'b'",
    ),
    "a cast of a composite": (
        "CREATE TYPE kind AS (x int, y text);"
        "CREATE FUNCTION show(kind) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT ($1).y $$;"
        "CREATE CAST (kind AS text) WITH FUNCTION show(kind)",
        "'(1,a)'",
        "'(2,a)'",
    ),
}


@pytest.mark.parametrize("case", CASTS)
def test_a_cast_to_text_hides_no_difference(databases: Databases, case: str) -> None:
    kind, source, target = CASTS[case]
    pair = databases.pair(
        f"{kind}; CREATE TABLE t (id int PRIMARY KEY, v kind)",
        source=f"INSERT INTO t VALUES (1, {source})",
        target=f"INSERT INTO t VALUES (1, {target})",
    )

    sync(pair)

    assert_same(pair)


# The output of xml leaves out the version 1.0 and the encoding; its cast to text does not.
@pytest.mark.parametrize("declared", ['version="1.0"', 'version="1.0" encoding="UTF-8"'])
def test_xml_with_a_declaration_is_copied(system_databases: Databases, declared: str) -> None:
    pair = system_databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, x xml)",
        source=f"INSERT INTO t VALUES (1, '<?xml {declared}?><a/>')",
    )

    sync(pair)

    assert_same(pair)
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize("columns", ["(sub)", "(sub) WHERE sub IS NOT NULL", "(lower(sub))"])
def test_a_new_row_takes_its_kept_value_from_the_holder_under_any_unique_index(
    databases: Databases, columns: str
) -> None:
    pair = databases.pair(
        f"CREATE TABLE users (id int PRIMARY KEY, sub text);CREATE UNIQUE INDEX ON users {columns}",
        source="INSERT INTO users VALUES (1, 'a'), (2, 'shared')",
        target="INSERT INTO users VALUES (1, 'shared')",
    )

    sync(pair, rules=SyncRules.parse('{"keep": ["public.users.sub"]}'))

    assert pair.target.rows("SELECT id, sub FROM users ORDER BY id") == [(1, None), (2, "shared")]

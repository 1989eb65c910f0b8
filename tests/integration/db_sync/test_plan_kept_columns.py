"""Columns that the keep rule leaves to the target."""

import pytest

from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases

KEEP_SUB = SyncRules.parse('{"keep": ["public.users.cognito_sub"]}')
USERS = "CREATE TABLE users (id int PRIMARY KEY, name text, cognito_sub text {constraint})"


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

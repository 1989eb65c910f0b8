"""Kept values that belong to a person and not to a row's key."""

import json

import pytest

from common.errors import ConfigurationError
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases, Pair


def person_rule(*columns: str) -> SyncRules:
    entry = {"column": "public.users.sub", "while_same": list(columns or ("email",))}
    return SyncRules.parse(json.dumps({"keep": [entry]}))


USERS = "CREATE TABLE users (id int PRIMARY KEY, email text, sub text UNIQUE)"
LOST = (
    "1 rows of public.users lost their value of a kept column: another row brings it, or the row"
    " is another person's in production."
)


def subs(pair: Pair) -> dict[int, str | None]:
    return dict(pair.target.rows("SELECT id, sub FROM users"))


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("child", ["", "CREATE TABLE orders (user_id int REFERENCES users)"])
def test_a_row_whose_key_now_belongs_to_another_person_loses_the_sub(
    databases: Databases, role: str, child: str
) -> None:
    pair = databases.pair(
        f"{USERS}; {child}",
        source="INSERT INTO users VALUES (1, 'ana@x.org', 'p-1'), (2091, 'customer@x.org', 'p-2')",
        target="INSERT INTO users VALUES (1, 'ana@x.org', 's-1'), (2091, 'tester@x.org', 's-t')",
    )
    target = own_tables(pair, "table_owner") if role == "owner" else None

    result = sync(pair, rules=person_rule(), target=target)

    assert subs(pair) == {1: "s-1", 2091: "p-2"}
    assert sum(table.rows_unlinked for table in result.tables) == 1
    assert LOST in result.warnings
    again = sync(pair, rules=person_rule(), target=target)
    assert again.status == "unchanged"
    assert LOST not in again.warnings


def test_a_dry_run_counts_the_rows_that_would_lose_the_sub(databases: Databases) -> None:
    pair = databases.pair(
        USERS,
        source="INSERT INTO users VALUES (1, 'a@x.org', 'p-1'), (2, 'new@x.org', 's-3'),"
        " (3, 'c@x.org', 'p-3'), (4, 'd@x.org', 'p-4')",
        target="INSERT INTO users VALUES (1, 'other@x.org', 's-1'), (3, 'c@x.org', 's-3'),"
        " (4, 'else@x.org', NULL)",
    )

    planned = sync(pair, rules=person_rule(), dry_run=True)
    result = sync(pair, rules=person_rule())

    assert subs(pair) == {1: "p-1", 2: "s-3", 3: None, 4: "p-4"}
    assert [table.rows_unlinked for table in planned.tables] == [2]
    assert [table.rows_unlinked for table in result.tables] == [2]
    assert planned.warnings == result.warnings


def test_people_who_swap_keys_do_not_get_each_others_sub(databases: Databases) -> None:
    pair = databases.pair(
        USERS,
        source="INSERT INTO users VALUES (1, 'bo@x.org', 'p-b'), (2, 'ana@x.org', 'p-a')",
        target="INSERT INTO users VALUES (1, 'ana@x.org', 's-a'), (2, 'bo@x.org', 's-b')",
    )

    result = sync(pair, rules=person_rule())

    assert subs(pair) == {1: "p-b", 2: "p-a"}
    assert [table.rows_unlinked for table in result.tables] == [2]


@pytest.mark.parametrize(
    ("source", "target", "kept"),
    [
        ("Ana@X.org", " ana@x.ORG ", True),
        ("ÉLODIE@x.org", "élodie@x.org", True),
        (None, None, True),
        (None, "  ", True),
        ("", None, True),
        (None, "ana@x.org", False),
        ("ana@x.org", None, False),
        ("masked@x.invalid", "ana@x.org", False),
    ],
)
def test_addresses_are_compared_as_in_the_remap(
    databases: Databases, source: str | None, target: str | None, *, kept: bool
) -> None:
    pair = databases.pair(f"{USERS}; ALTER TABLE users ADD name text")
    for database, email, name in zip(pair, (source, target), ("new", "old"), strict=True):
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO users VALUES (1, %s, %s, %s)", [email, f"sub of {name}", name]
            )
        connection.close()

    sync(pair, rules=person_rule())

    assert subs(pair) == {1: "sub of old" if kept else "sub of new"}


def test_a_sub_that_a_row_takes_from_production_is_taken_from_its_holder(
    databases: Databases,
) -> None:
    pair = databases.pair(
        USERS,
        source="INSERT INTO users VALUES (1, 'new@x.org', 's-2'), (2, 'bo@x.org', 'p-2')",
        target="INSERT INTO users VALUES (1, 'old@x.org', 's-1'), (2, 'bo@x.org', 's-2')",
    )

    result = sync(pair, rules=person_rule())

    assert subs(pair) == {1: "s-2", 2: None}
    assert [table.rows_unlinked for table in result.tables] == [2]


def test_a_row_that_children_refer_to_loses_a_value_without_a_unique_constraint(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, email text, sub text NOT NULL);"
        "CREATE TABLE orders (user_id int REFERENCES users)",
        source="INSERT INTO users VALUES (1, 'new@x.org', 'p-1'); INSERT INTO orders VALUES (1)",
        target="INSERT INTO users VALUES (1, 'old@x.org', 's-1'); INSERT INTO orders VALUES (1)",
    )

    sync(pair, rules=person_rule(), target=own_tables(pair, "table_owner"))

    assert subs(pair) == {1: "p-1"}


def test_a_value_that_production_has_too_is_no_loss(databases: Databases) -> None:
    pair = databases.pair(
        f"{USERS}; CREATE TABLE orders (user_id int REFERENCES users)",
        source="INSERT INTO users VALUES (1, 'new@x.org', 'p-1')",
        target="INSERT INTO users VALUES (1, 'old@x.org', 'p-1')",
    )

    result = sync(pair, rules=person_rule(), target=own_tables(pair, "table_owner"))

    assert subs(pair) == {1: "p-1"}
    assert sum(table.rows_unlinked for table in result.tables) == 0


@pytest.mark.parametrize(("nullable", "found"), [("", None), ("NOT NULL", "unlinked:")])
def test_a_column_that_only_the_target_has_is_unlinked(
    databases: Databases, nullable: str, found: str | None
) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, email text)",
        source="INSERT INTO users VALUES (1, 'new@x.org'), (2, 'bo@x.org')",
        target="INSERT INTO users VALUES (1, 'old@x.org'), (2, 'BO@x.org');"
        f"ALTER TABLE users ADD sub text DEFAULT 'x' {nullable};"
        "UPDATE users SET sub = 's-' || id",
    )

    result = sync(pair, rules=person_rule())

    left = subs(pair)
    assert left[2] == "s-2"
    assert left[1] == found or str(left[1]).startswith(str(found))
    assert [table.rows_unlinked for table in result.tables] == [1]


def test_all_columns_of_while_same_must_be_equal(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, tenant int, email text, sub text)",
        source="INSERT INTO users VALUES (1, 7, 'a@x.org', 'p-1'), (2, 7, 'b@x.org', 'p-2')",
        target="INSERT INTO users VALUES (1, 8, 'a@x.org', 's-1'), (2, 7, 'B@x.org', 's-2')",
    )

    sync(pair, rules=person_rule("tenant", "email"))

    assert subs(pair) == {1: "p-1", 2: "s-2"}


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (["e-mail"], 'column public.users.e-mail of "while_same" in the "keep" rule does not'),
        (["sub"], "is a kept column itself"),
        (["lower"], "is generated"),
        (["local"], "does not exist in the source"),
    ],
)
def test_a_column_that_cannot_be_compared_is_refused_before_anything_is_written(
    databases: Databases, columns: list[str], named: str
) -> None:
    pair = databases.pair(
        f"{USERS}; ALTER TABLE users ADD lower text GENERATED ALWAYS AS (lower(email)) STORED",
        source="INSERT INTO users (id, email) VALUES (1, 'a@x.org')",
        target="ALTER TABLE users ADD local text",
    )

    with pytest.raises(ConfigurationError, match=named):
        sync(pair, rules=person_rule(*columns))

    assert pair.target.value("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize(
    "entry",
    [
        {"column": "public.users.sub"},
        {"column": "public.users.sub", "while_same": []},
        {"column": "public.users.sub", "while_same": "email"},
        {"column": "public.users.sub", "while_same": [""]},
        {"column": "public.users.sub", "while_same": ["email"], "until": "never"},
        {"column": "users.sub", "while_same": ["email"]},
        {"while_same": ["email"]},
        7,
    ],
)
def test_a_malformed_entry_is_refused(entry: object) -> None:
    with pytest.raises(ConfigurationError, match='sync rule "keep"'):
        SyncRules.parse(json.dumps({"keep": [entry]}))


def test_two_rules_for_one_column_are_refused() -> None:
    entry = {"column": "public.users.sub", "while_same": ["email"]}

    with pytest.raises(ConfigurationError, match=r"public\.users\.sub twice"):
        SyncRules.parse(json.dumps({"keep": ["public.users.sub", entry]}))

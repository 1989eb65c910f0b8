"""Masked columns and foreign keys: children follow their parents, and still refer to them."""

from typing import Any

import pytest

from tests.integration.db_sync.masking import Masks, refusal, sync_masked
from tests.support.databases import Databases, Pair

ROWS = """
INSERT INTO users SELECT 'u' || i FROM generate_series(1, 300) i;
INSERT INTO orders SELECT i, 'u' || (i % 300 + 1) FROM generate_series(1, 400) i
"""
USERS = "CREATE TABLE users (code text PRIMARY KEY);"


def orphans(pair: Pair, child: str, column: str, parent: str, to: str) -> int:
    count: int = pair.target.value(
        f"SELECT count(*) FROM {child} c WHERE c.{column} IS NOT NULL"
        f" AND NOT EXISTS (SELECT FROM {parent} p WHERE p.{to} = c.{column})"
    )
    return count


def assert_unchanged_next(pair: Pair, masks: Masks, **others: Any) -> None:
    again = sync_masked(pair, masks, **others)
    assert again.status == "unchanged"


@pytest.mark.parametrize(
    "reference",
    [
        "REFERENCES users",
        "REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE",
        "REFERENCES users ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED",
        "REFERENCES users ON DELETE RESTRICT ON UPDATE RESTRICT",
    ],
)
def test_a_child_gets_its_parents_rule(databases: Databases, reference: str) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE orders (id int PRIMARY KEY, user_code text {reference})",
        source=ROWS,
        target="INSERT INTO users VALUES ('old'); INSERT INTO orders VALUES (1, 'old')",
    )
    masks: Masks = {"public.users.code": "hash"}

    result = sync_masked(pair, masks)

    assert result.masked == {
        "public.orders.user_code": "hash, by the foreign key orders_user_code_fkey to"
        " public.users.code",
        "public.users.code": 'hash, by the rule "public.users.code"',
    }
    assert pair.target.value("SELECT count(*) FROM orders WHERE user_code IS NOT NULL") == 400
    assert pair.target.value("SELECT count(*) FROM users WHERE code LIKE 'u%'") == 0
    assert orphans(pair, "orders", "user_code", "users", "code") == 0
    assert_unchanged_next(pair, masks)


def test_rules_follow_chains_composite_keys_and_references_to_the_same_table(
    databases: Databases,
) -> None:
    pair = databases.pair(
        """
        CREATE TABLE people (tenant int, login text, boss text, PRIMARY KEY (tenant, login),
            FOREIGN KEY (tenant, boss) REFERENCES people);
        CREATE TABLE staff (tenant int, login text, PRIMARY KEY (tenant, login),
            FOREIGN KEY (tenant, login) REFERENCES people);
        CREATE TABLE badges (id int PRIMARY KEY, tenant int, login text,
            FOREIGN KEY (tenant, login) REFERENCES staff MATCH FULL)
        """,
        source="""
        INSERT INTO people SELECT 1, 'p' || i, 'p' || nullif(i - 1, 0)
            FROM generate_series(1, 100) i;
        INSERT INTO staff SELECT 1, 'p' || i FROM generate_series(1, 50) i;
        INSERT INTO badges SELECT i, 1, 'p' || i FROM generate_series(1, 50) i
        """,
    )
    masks: Masks = {"public.people.login": "hash"}

    result = sync_masked(pair, masks)

    assert result.masked.keys() == {
        "public.people.login",
        "public.people.boss",
        "public.staff.login",
        "public.badges.login",
    }
    assert orphans(pair, "people", "boss", "people", "login") == 0
    assert orphans(pair, "badges", "login", "people", "login") == 0
    assert pair.target.value("SELECT count(*) FROM people WHERE login ~ '^p'") == 0
    assert pair.target.value("SELECT count(boss) FROM people") == 99
    assert_unchanged_next(pair, masks)


def test_rules_follow_a_cycle_of_keys(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE a (code text PRIMARY KEY, b_code text);
        CREATE TABLE b (code text PRIMARY KEY REFERENCES a);
        ALTER TABLE a ADD FOREIGN KEY (b_code) REFERENCES b DEFERRABLE
        """,
        source="INSERT INTO a VALUES ('x'), ('y'); INSERT INTO b VALUES ('x'), ('y');"
        " UPDATE a SET b_code = 'y'",
    )

    result = sync_masked(pair, {"public.a.code": "hash"})

    assert len(result.masked) == 3
    assert orphans(pair, "a", "b_code", "b", "code") == 0
    assert orphans(pair, "b", "code", "a", "code") == 0
    assert_unchanged_next(pair, {"public.a.code": "hash"})


def test_rules_follow_keys_of_partitioned_tables_and_of_a_partition(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE users (code bigint PRIMARY KEY) PARTITION BY HASH (code);
        CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE orders (id int, user_code bigint REFERENCES users) PARTITION BY LIST (id);
        CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
        CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
        CREATE TABLE log (id int PRIMARY KEY, at int, code bigint) PARTITION BY RANGE (id);
        CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (1000);
        ALTER TABLE log_1 ADD FOREIGN KEY (code) REFERENCES users
        """,
        source="""
        INSERT INTO users SELECT generate_series(1, 200);
        INSERT INTO orders SELECT i % 3, i FROM generate_series(1, 200) i;
        INSERT INTO log SELECT i, i, i FROM generate_series(1, 200) i
        """,
    )
    masks: Masks = {"public.users.code": "hash"}

    result = sync_masked(pair, masks)

    assert result.masked.keys() == {
        "public.users.code",
        "public.orders.user_code",
        "public.log.code",
    }
    assert pair.target.value("SELECT count(*) FROM users WHERE code <= 200") == 0
    assert pair.target.value("SELECT count(DISTINCT tableoid) FROM users") == 2
    for child, column in (("orders", "user_code"), ("log", "code")):
        assert orphans(pair, child, column, "users", "code") == 0
    assert_unchanged_next(pair, masks)


@pytest.mark.parametrize("side", ["source", "target"])
def test_rules_follow_a_key_that_only_one_side_has(databases: Databases, side: str) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE orders (id int PRIMARY KEY, user_code text)", source=ROWS
    )
    getattr(pair, side).execute("ALTER TABLE orders ADD FOREIGN KEY (user_code) REFERENCES users")

    result = sync_masked(pair, {"public.users.code": "hash"})

    assert "public.orders.user_code" in result.masked
    assert orphans(pair, "orders", "user_code", "users", "code") == 0


def test_a_child_may_be_null(databases: Databases) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE orders (id int PRIMARY KEY, user_code text REFERENCES users)",
        source=ROWS,
    )
    masks: Masks = {"public.users.code": "hash", "public.orders.user_code": "null"}

    sync_masked(pair, masks)

    assert pair.target.value("SELECT count(*) FROM orders WHERE user_code IS NULL") == 400
    assert_unchanged_next(pair, masks)


@pytest.mark.parametrize(
    ("masks", "why"),
    [
        ({"public.orders.user_code": "hash"}, "which is not masked"),
        (
            {"public.orders.user_code": "uuid", "public.users.code": "hash"},
            "which another rule masks",
        ),
    ],
)
def test_a_child_under_another_rule_than_its_parent_is_refused(
    databases: Databases, masks: Masks, why: str
) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE orders (id int PRIMARY KEY, user_code text REFERENCES users)",
        source=ROWS,
    )

    assert refusal(pair, masks, reviewed=["public.*.*"]) == (
        "public.orders.user_code cannot be masked: the foreign key orders_user_code_fkey refers"
        f" to public.users.code, {why}; give both columns the same rule",
    )


@pytest.mark.parametrize(
    ("parent", "child", "why"),
    [
        ("varchar(20)", "varchar(30)", "have different lengths"),
        ("varchar(20)", "text", "have different lengths"),
        ("bigint", "int", "are of different types"),
        ("smallint", "bigint", "are of different types"),
        ("text", "citext", "are of different types"),
    ],
)
def test_columns_that_would_be_masked_differently_are_refused(
    system_databases: Databases, parent: str, child: str, why: str
) -> None:
    pair = system_databases.pair(
        "CREATE EXTENSION citext;"
        f" CREATE TABLE users (code {parent} PRIMARY KEY);"
        f" CREATE TABLE orders (id int PRIMARY KEY, user_code {child} REFERENCES users)",
        source="INSERT INTO users VALUES (1); INSERT INTO orders VALUES (1, 1)",
    )

    assert refusal(pair, {"public.users.code": "hash"}) == (
        "public.orders.user_code cannot be masked: it and public.users.code, to which the foreign"
        f" key orders_user_code_fkey refers, {why}, so that their masks would differ",
    )


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("text", "varchar"),
        ("varchar(40)", "varchar(40)"),
        ("code_type", "text"),
        ("text", "bpchar"),
    ],
)
def test_columns_of_alike_types_are_masked_alike(
    databases: Databases, parent: str, child: str
) -> None:
    pair = databases.pair(
        "CREATE DOMAIN code_type AS text;"
        f" CREATE TABLE users (code {parent} PRIMARY KEY);"
        f" CREATE TABLE orders (id int PRIMARY KEY, user_code {child} REFERENCES users)",
        source=ROWS,
    )

    sync_masked(pair, {"public.users.code": "hash"})

    assert orphans(pair, "orders", "user_code", "users", "code") == 0
    assert_unchanged_next(pair, {"public.users.code": "hash"})


def test_a_citext_child_refers_to_its_parent_whatever_its_case(
    system_databases: Databases,
) -> None:
    pair = system_databases.pair(
        "CREATE EXTENSION citext; CREATE TABLE users (email citext PRIMARY KEY);"
        " CREATE TABLE orders (id int PRIMARY KEY, owner citext REFERENCES users)",
        source="INSERT INTO users VALUES ('Ada@x.org'); INSERT INTO orders VALUES (1, 'ADA@x.org')",
    )

    sync_masked(pair, {"public.users.email": "email"})

    assert orphans(pair, "orders", "owner", "users", "email") == 0
    assert pair.target.value("SELECT owner FROM orders").endswith(".invalid")
    assert_unchanged_next(pair, {"public.users.email": "email"})


def test_a_child_whose_parent_is_excluded_is_refused(databases: Databases) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE orders (id int PRIMARY KEY, user_code text REFERENCES users)",
        source=ROWS,
        target="INSERT INTO users SELECT 'u' || i FROM generate_series(1, 300) i",
    )

    (reason,) = refusal(pair, {"*.user_code": "hash", "*.code": "hash"}, exclude=["public.users"])

    assert "refers to public.users.code, which is not masked" in reason


def test_a_child_that_is_excluded_and_loses_its_parents_is_named_in_a_warning(
    databases: Databases,
) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE orders (id int PRIMARY KEY, user_code text REFERENCES users)",
        source=ROWS,
        target="INSERT INTO users VALUES ('u1'); INSERT INTO orders VALUES (1, 'u1')",
    )

    result = sync_masked(pair, {"public.users.code": "hash"}, exclude=["public.orders"])

    assert (
        "1 rows of public.orders break its foreign key orders_user_code_fkey to public.users."
    ) in result.warnings


def test_a_column_that_is_inherited_gets_the_rule_of_the_table_that_it_comes_from(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE people (id int PRIMARY KEY, contact text, note text);"
        "CREATE TABLE staff (PRIMARY KEY (id)) INHERITS (people);"
        "CREATE TABLE bosses (PRIMARY KEY (id)) INHERITS (staff);"
        "CREATE TABLE pupils (PRIMARY KEY (id)) INHERITS (people)",
        source="INSERT INTO people VALUES (1, 'ada@x.org');"
        "INSERT INTO staff VALUES (2, 'bo@x.org'); INSERT INTO bosses VALUES (3, 'cy@x.org');"
        "INSERT INTO pupils VALUES (4, 'di@x.org')",
    )

    masks: Masks = {"public.people.contact": "email", "public.pupils.contact": "null"}
    result = sync_masked(pair, masks, reviewed=["*.note"])

    contacts = pair.target.rows("SELECT contact FROM people ORDER BY id")
    assert [bool(each and each.endswith(".invalid")) for (each,) in contacts] == [
        True,
        True,
        True,
        False,
    ]
    assert contacts[3] == (None,)
    assert result.warnings == ()
    assert result.masked["public.bosses.contact"] == (
        "email, by the table public.people, from which it is inherited"
    )
    assert result.masked["public.pupils.contact"] == 'null, by the rule "public.pupils.contact"'

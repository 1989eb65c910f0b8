"""People with subs of staging's own, and what every column that follows must hold after a sync."""

import json
from collections.abc import Iterable
from typing import Any

from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Pair

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text UNIQUE);"
WISHLISTS = "CREATE TABLE wishlists (id int PRIMARY KEY, owner_sub {type}, title text);"
KEPT = {"column": "public.users.cognito_sub", "while_same": ["email"]}
SUB = "public.users.cognito_sub"


def rules(*followers: str, **others: Any) -> SyncRules:
    """Return the rules as CDK writes them, with columns of `public` that follow.

    Args:
        followers: columns that hold a sub, or an array of subs.
        others: other columns, each with its rule.
    """
    follow = dict.fromkeys(followers, SUB) | others
    named = {f"public.{column}": rule for column, rule in follow.items()}
    return SyncRules.parse(json.dumps({"keep": [KEPT], "follow": named}))


def production_sub(number: int) -> str:
    return f"0000{number:04}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def staging_sub(number: int) -> str:
    return f"9999{number:04}-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def sub_of(number: str) -> str:
    """Return the SQL for `production_sub` of a number in SQL."""
    return f"('0000' || to_char({number}, 'FM0000') || '-aaaa-4aaa-8aaa-aaaaaaaaaaaa')"


def insert_users(count: int) -> str:
    """Return the statement that inserts people, each with production's sub."""
    return f"""
        INSERT INTO users SELECT i, 'u' || i || '@shop.example', {sub_of("i")}
        FROM generate_series(1, {count}) i;
    """


def insert_rows(table: str, people: int, rows: int, type_: str = "text") -> str:
    """Return the statement that inserts rows of people, in turn."""
    return f"""
        INSERT INTO {table} SELECT i, {sub_of(f"1 + i % {people}")}::{type_}, 'row ' || i
        FROM generate_series(1, {rows}) i;
    """


def remap(pair: Pair, people: Iterable[int], *followers: str) -> None:
    """Give people of the target their subs in staging's pool, and their rows with them."""
    statements = ["SET session_replication_role = replica"]
    for number in people:
        (old,) = pair.target.rows("SELECT cognito_sub FROM users WHERE id = %s", [number])[0]
        for place in ("users.cognito_sub", *followers):
            table, column = place.split(".")
            new = staging_sub(number)
            statements.append(
                f"UPDATE {table} SET {column} = '{new}' WHERE {column}::text = '{old}'"
            )
    pair.target.execute(";".join(statements))


def assert_followed(pair: Pair, *followers: str) -> None:
    """Check that a follower's row belongs to the same person on both sides.

    It must hold what the target's row of the person has, whom production's value means; a value
    that means nobody there, or somebody without a sub in staging, as it is.
    """
    theirs = dict(pair.target.rows("SELECT id, cognito_sub::text FROM users"))
    expected = {
        sub: theirs[number] if theirs[number] is not None else sub
        for number, sub in pair.source.rows(
            "SELECT id, cognito_sub::text FROM users WHERE cognito_sub IS NOT NULL"
        )
    }
    for place in followers:
        table, column = place.split(".")
        query = f"SELECT to_jsonb(t) - '{column}', t.{column}::text FROM {table} t"
        ours = sorted(
            (json.dumps(rest), str(expected.get(sub, sub))) for rest, sub in pair.source.rows(query)
        )
        found = sorted((json.dumps(rest), str(sub)) for rest, sub in pair.target.rows(query))
        assert found == ours


def sync_twice(pair: Pair, rules: SyncRules, *followers: str) -> SyncResult:
    """Sync, check what follows, and that a second sync finds nothing to do; return the first."""
    result = sync(pair, rules=rules)
    assert_followed(pair, *followers)
    again = sync(pair, rules=rules)
    assert (again.status, [t.table for t in again.tables if t.action != "none"]) == (
        "unchanged",
        [],
    )
    return result

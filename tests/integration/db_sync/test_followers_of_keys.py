"""A sub that is the key of users: people are told by their email, and what refers follows."""

import json

import pytest

from db_sync.rules import SyncRules
from tests.integration.db_sync.following import production_sub, staging_sub, sub_of
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases

SCHEMA = """
CREATE TABLE users (id uuid PRIMARY KEY, email text, name text, boss uuid REFERENCES users);
CREATE TABLE posts (
    author uuid REFERENCES users, number int, text text, PRIMARY KEY (author, number)
);
CREATE TABLE likes (id int PRIMARY KEY, by_whom text);
"""


def insert_all(people: int, rows: int) -> str:
    """Return the statements that insert people, and rows of each in turn."""
    return f"""
        INSERT INTO users
        SELECT {sub_of("i")}::uuid, 'u' || i || '@x.example', 'n', {sub_of("1 + i / 2")}::uuid
        FROM generate_series(1, {people}) i;
        INSERT INTO posts SELECT {sub_of(f"1 + i % {people}")}::uuid, i, 't'
        FROM generate_series(1, {rows}) i;
        INSERT INTO likes SELECT i, {sub_of(f"1 + i % {people}")} FROM generate_series(1, {rows}) i;
    """


@pytest.mark.parametrize("rows", [60, 4000])
@pytest.mark.parametrize("role", ["superuser", "owner"])
def test_a_sub_that_is_the_key_of_users_follows_people_by_their_email(
    databases: Databases, role: str, rows: int
) -> None:
    content = insert_all(20, rows)
    pair = databases.pair(SCHEMA, content, content)
    places = ("users.id", "users.boss", "posts.author", "likes.by_whom")
    statements = [
        f"UPDATE {place.split('.')[0]} SET {place.split('.')[1]} = '{staging_sub(number)}'"
        f" WHERE {place.split('.')[1]}::text = '{production_sub(number)}'"
        for number in range(1, 11)
        for place in places
    ]
    pair.target.execute("SET session_replication_role = replica;" + ";".join(statements))
    following = SyncRules.parse(
        json.dumps(
            {
                "keep": [{"column": "public.users.id", "while_same": ["email"]}],
                "follow": {"public.likes.by_whom": "public.users.id"},
            }
        )
    )
    target = own_tables(pair, "table_owner") if role == "owner" else None
    before = pair.target.contents()
    assert sync(pair, rules=following, target=target).status == "unchanged"
    assert pair.target.contents() == before

    pair.source.execute(
        f"""
        UPDATE users SET name = 'other' WHERE email IN ('u3@x.example', 'u15@x.example');
        UPDATE users SET email = 'renamed@x.example' WHERE email = 'u4@x.example';
        INSERT INTO users
        VALUES ('{production_sub(21)}', 'new@x.example', 'n', '{production_sub(2)}');
        INSERT INTO posts
        VALUES ('{production_sub(5)}', 9000, 'a'), ('{production_sub(21)}', 1, 'b');
        UPDATE likes SET by_whom = '{production_sub(6)}' WHERE id = 7;
        """
    )
    result = sync(pair, rules=following, target=target).output()

    assert result["rows_updated"] < 10 + rows // 5
    theirs = dict(pair.target.rows("SELECT email, id::text FROM users"))
    people = {
        sub: theirs[email] for email, sub in pair.source.rows("SELECT email, id::text FROM users")
    }
    assert people[production_sub(3)] == staging_sub(3)
    assert people[production_sub(4)] == production_sub(4)
    for place in places:
        table, column = place.split(".")
        others = "to_jsonb(t) - '{id,boss,author,by_whom}'::text[]"
        query = f"SELECT {others}, t.{column}::text FROM {table} t"
        ours = sorted((json.dumps(rest), people[sub]) for rest, sub in pair.source.rows(query))
        assert ours == sorted((json.dumps(rest), sub) for rest, sub in pair.target.rows(query))
    assert sync(pair, rules=following, target=target).status == "unchanged"

"""A sync that writes users does not lock out who reads them, though cards refer to their subs."""

import pytest

from tests.integration.db_sync.following import (
    assert_followed,
    insert_users,
    remap,
    rules,
    sub_of,
)
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text UNIQUE, name text);
CREATE TABLE cards (id int PRIMARY KEY, owner_sub text NOT NULL REFERENCES users (cognito_sub));
"""
# Dropped and created again, it would have another one, and both tables an ACCESS EXCLUSIVE lock.
KEY = "SELECT oid FROM pg_constraint WHERE conname = 'cards_owner_sub_fkey'"
CHANGES = {
    "a name": "UPDATE users SET name = 'other' WHERE id % 5 = 0",
    "a new person": "INSERT INTO users VALUES (21, 'u21@shop.example', 'new', 'new')",
    "a new person's card": (
        "INSERT INTO users VALUES (21, 'u21@shop.example', 'new', 'new');"
        " INSERT INTO cards VALUES (21, 'new')"
    ),
    "somebody who leaves": "DELETE FROM cards WHERE id = 7; DELETE FROM users WHERE id = 7",
    "another sub in production": (
        "SET session_replication_role = replica;"
        " UPDATE users SET cognito_sub = 'another', name = 'x'"
        " WHERE id = 3; UPDATE cards SET owner_sub = 'another' WHERE id = 3"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_key_to_the_sub_stays_in_place_as_long_as_no_row_of_staging_gets_another(
    databases: Databases, change: str
) -> None:
    content = insert_users(20) + f"INSERT INTO cards SELECT i, {sub_of('i')} FROM"
    content += " generate_series(1, 20) i;"
    pair = databases.pair(SCHEMA, content, content)
    remap(pair, range(1, 10), "cards.owner_sub")
    target = own_tables(pair, "table_owner")
    key = pair.target.value(KEY)
    pair.source.execute(change)

    assert sync(pair, rules=rules(), target=target).status == "synced"

    assert_followed(pair, "cards.owner_sub")
    assert pair.target.value(KEY) == key

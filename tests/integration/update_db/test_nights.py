"""Nights in a row, against a plain model: after a sync and a remap everybody has their own rows."""

import json
import random

import pytest

from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.update_db.conftest import MakeStaging, UseFollow
from tests.integration.update_db.remapping import PoolUser, Staging
from tests.support.databases import Databases, Pair

SUB = "public.users.cognito_sub"
FOLLOW = {"public.notes.*_sub": SUB}
RULES = SyncRules.parse(
    json.dumps({"keep": [{"column": SUB, "while_same": ["email"]}], "follow": FOLLOW})
)
SCHEMA = """
CREATE TABLE users (
    id int PRIMARY KEY, email text, cognito_sub text {unique},
    invited_by text REFERENCES users (cognito_sub) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE notes (id int PRIMARY KEY, by_sub text, to_sub varchar(40));
CREATE TABLE cards (
    owner text REFERENCES users (cognito_sub), number int, PRIMARY KEY (owner, number)
);
"""
PEOPLE = 12
NIGHTS = 3


class Production:
    """Production's people and rows, changed at random."""

    def __init__(self, pair: Pair, chance: random.Random) -> None:
        self.pair = pair
        self.chance = chance
        self.subs = 0

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.pair.source.execute(statement)

    def someone(self) -> int:
        """Return the key of a person, who may not exist."""
        return self.chance.randrange(PEOPLE)

    def new_sub(self) -> str:
        self.subs += 1
        return f"prod-{self.subs}"

    def change(self) -> None:
        """Change something: a person, who is whose sub, or somebody's rows."""
        self.chance.choice(
            [self.add, self.add, self.leave, self.rename, self.exchange, self.give, self.note]
        )()

    def add(self) -> None:
        number, email = self.someone(), self.chance.randrange(PEOPLE)
        self.execute(
            f"INSERT INTO users VALUES ({number}, 'u{email}@x.org', '{self.new_sub()}')"
            f" ON CONFLICT DO NOTHING",
            f"UPDATE users SET invited_by = (SELECT cognito_sub FROM users WHERE id = {email})"
            f" WHERE id = {number}",
        )

    def leave(self) -> None:
        number = self.someone()
        self.execute(
            "UPDATE users SET invited_by = NULL WHERE invited_by IN"
            f" (SELECT cognito_sub FROM users WHERE id = {number})",
            f"DELETE FROM cards USING users WHERE owner = cognito_sub AND id = {number}",
            f"DELETE FROM users WHERE id = {number}",
        )

    def rename(self) -> None:
        email = self.chance.choice([f"'u{self.someone()}@x.org'", "' U3@X.org'", "NULL", "''"])
        self.execute(f"UPDATE users SET email = {email} WHERE id = {self.someone()}")

    def exchange(self) -> None:
        """Let two people exchange their subs, or their emails, and the rows stay as they are."""
        one, two = self.someone(), self.someone()
        column = self.chance.choice(["cognito_sub", "email"])
        values = dict(self.pair.source.rows(f"SELECT id, {column} FROM users"))
        if one != two and {one, two} <= values.keys() and None not in (values[one], values[two]):
            self.execute(
                "BEGIN; SET session_replication_role = replica;"
                f"UPDATE users SET {column} = 'moving' WHERE id = {one};"
                f"UPDATE users SET {column} = '{values[one]}' WHERE id = {two};"
                f"UPDATE users SET {column} = '{values[two]}' WHERE id = {one}; COMMIT"
            )

    def give(self) -> None:
        """Give a person a new sub, and the old one to another person: both rows may stay."""
        one, two = self.someone(), self.someone()
        subs = dict(self.pair.source.rows("SELECT id, cognito_sub FROM users"))
        if one != two and {one, two} <= subs.keys():
            self.execute(
                "BEGIN; SET session_replication_role = replica;"
                f"UPDATE users SET cognito_sub = '{self.new_sub()}' WHERE id = {one};"
                f"UPDATE users SET cognito_sub = '{subs[one]}', email = 'u{self.someone()}@x.org'"
                f" WHERE id = {two};"
                f"DELETE FROM cards WHERE owner NOT IN (SELECT cognito_sub FROM users);"
                "UPDATE users SET invited_by = NULL"
                " WHERE invited_by NOT IN (SELECT cognito_sub FROM users); COMMIT"
            )

    def note(self) -> None:
        number, other = self.chance.randrange(40), self.someone()
        self.execute(
            f"INSERT INTO notes SELECT {number}, cognito_sub, 'nobody' FROM users"
            f" WHERE id = {self.someone()} ON CONFLICT (id) DO UPDATE SET by_sub ="
            f" (SELECT cognito_sub FROM users WHERE id = {other}), to_sub = notes.by_sub",
            f"INSERT INTO cards SELECT cognito_sub, {number} FROM users WHERE id = {other}"
            " ON CONFLICT DO NOTHING",
        )


def pool(chance: random.Random) -> list[PoolUser]:
    """Return staging's pool: some of the people, each with a sub of their own."""
    emails = chance.sample(range(PEOPLE), 7)
    return [PoolUser(f"u{email}@x.org", f"stage-{email}") for email in emails]


def owned(pair: Pair) -> list[list[tuple[object, ...]]]:
    """Return the rows that refer to people, with these people's keys for subs, of both sides."""
    sides = []
    for database in pair:
        people = {sub: number for number, sub in database.rows("SELECT id, cognito_sub FROM users")}
        who = (people | {None: None}).get
        rows = database.rows("SELECT id, by_sub, to_sub FROM notes")
        notes = [("note", number, who(by, "nobody"), who(to, "nobody")) for number, by, to in rows]
        rows = database.rows("SELECT owner, number FROM cards")
        cards = [("card", who(sub, "nobody"), number) for sub, number in rows]
        invited = database.rows("SELECT id, invited_by FROM users")
        users = [("invited", number, who(sub, "nobody")) for number, sub in invited]
        sides.append(sorted([*notes, *cards, *users], key=repr))
    return sides


def has_nobodys(pair: Pair) -> bool:
    """Return whether rows of production have the sub of a person who has another one by now."""
    query = """
        SELECT FROM notes n, LATERAL (VALUES (by_sub), (to_sub)) held (sub)
        WHERE sub LIKE 'prod-%' AND NOT EXISTS (SELECT FROM users WHERE cognito_sub = sub)
    """
    return bool(pair.source.rows(query))


def sync(pair: Pair) -> str:
    options = SyncOptions("test", RULES)
    return sync_database(pair.source.address, pair.target.address, options).status


def remap(staging: Staging, users: list[PoolUser]) -> tuple[int, int]:
    """Remap; return how many users changed, and how many rows that follow them."""
    output = staging.remap(*users).output
    return output["updated"] + output["unlinked"], sum(output["followers"].values())


@pytest.mark.parametrize("seed", range(3))
def test_everybody_has_their_own_rows_each_night(
    databases: Databases, make_staging: MakeStaging, use_follow: UseFollow, seed: int
) -> None:
    use_follow(FOLLOW)
    chance = random.Random(seed)  # noqa: S311  # to choose edits
    pair = databases.pair(SCHEMA.format(unique=chance.choice(["UNIQUE", "NOT NULL UNIQUE"])))
    staging = make_staging(of=pair.target)
    production = Production(pair, chance)
    for _ in range(30):
        production.add()
        production.note()
    for _ in range(NIGHTS):
        users = pool(chance)
        for _ in range(chance.randrange(12)):
            production.change()

        sync(pair)
        ours, theirs = owned(pair)
        assert theirs == ours
        remap(staging, users)
        ours, theirs = owned(pair)
        assert theirs == ours
        if sync(pair) != "unchanged":
            # A value that is nobody's in production, and was somebody's in staging, is free again.
            assert has_nobodys(pair)
            assert sync(pair) == "unchanged"
        assert remap(staging, users) == (0, 0)

"""The remap compared with a plain model of its rules, for pools and tables of any kind."""

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.aws.exchange import Exchange
from common.errors import SchemaMismatch
from common.follow.rules import FollowRules
from common.manifest import Manifest, Part
from common.reports.remap import RemapResult
from sandbox.database import Database
from tests.integration.update_db.model import (
    UNLINKED,
    Expected,
    Row,
    SharedError,
    expect,
    person_who_takes_along,
)
from tests.integration.update_db.remapping import PoolUser, part_of
from tests.support.databases import Databases
from update_db.mapping import load_mapping
from update_db.remap import RemapOptions, remap_users
from update_db.users_table import UsersTable

# Few values, so that they often meet.
EMAILS = st.sampled_from(
    ["a@x", " A@X", "b@x", "B@x\t", "é@x", "É@x ", "c@x", "K@x", "\u212a@x", "e@x", " "]
)
SUBS = st.sampled_from([f"{number:08}-0000-4000-8000-000000000000" for number in range(7)])
POOL_USERS = st.builds(
    PoolUser,
    email=EMAILS | st.just(""),
    sub=SUBS,
    status=st.sampled_from(["CONFIRMED", "EXTERNAL_PROVIDER", "UNCONFIRMED", "UNKNOWN"]),
    enabled=st.sampled_from(["true", "false"]),
    email_verified=st.sampled_from(["true", "false", ""]),
    last_modified=st.integers(0, 9).map(lambda second: f"2026-03-01T10:00:0{second}+00:00"),
)
# Somebody may be listed twice, but never in two states of one moment.
POOLS = st.lists(POOL_USERS, max_size=9, unique_by=lambda user: (user.sub, user.last_modified))
ROW_EMAILS = st.none() | EMAILS
PRODUCTION = "ffffffff-0000-4000-8000-00000000000"
ROW_SUBS: st.SearchStrategy[str | None] = SUBS | st.sampled_from(
    [f"{PRODUCTION}1", f"{PRODUCTION}2"]
)
ANY = st.lists(st.tuples(ROW_EMAILS, st.none() | ROW_SUBS))
REQUIRED = st.lists(st.tuples(ROW_EMAILS, ROW_SUBS))
UNIQUE = st.lists(st.tuples(ROW_EMAILS, ROW_SUBS), unique_by=lambda row: row[1])
# How the sub column is declared, what follows the columns, and the rows that may be there.
TABLES: dict[str, st.SearchStrategy[list[tuple[str | None, str | None]]]] = {
    "text)": ANY,
    "text NOT NULL)": REQUIRED,
    "text UNIQUE)": UNIQUE,
    "text UNIQUE DEFERRABLE INITIALLY DEFERRED)": UNIQUE,
    "varchar(36) NOT NULL UNIQUE)": UNIQUE,
    "uuid UNIQUE)": UNIQUE,
    "uuid NOT NULL UNIQUE)": UNIQUE,
    "text) PARTITION BY HASH (id)": ANY,
}
PARTITIONS = """
CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 1);
"""
# What refers to the sub column by a foreign key, where there can be one.
CARDS = {
    "text UNIQUE)": "text REFERENCES users (cognito_sub) ON UPDATE CASCADE",
    "varchar(36) NOT NULL UNIQUE)": "text REFERENCES users (cognito_sub) ON UPDATE SET NULL",
    "uuid NOT NULL UNIQUE)": "uuid REFERENCES users (cognito_sub) DEFERRABLE",
}
FOLLOW = FollowRules.parse({"public.notes.sub": "public.users.cognito_sub"})


class Rules(NamedTuple):
    """The settings of a remap."""

    require_verified: bool
    release_mismatched: bool
    follow: bool


class Users:
    """A users table that is filled anew for each example: a database of its own takes longer."""

    def __init__(self, database: Database) -> None:
        self.address = database.address
        self._connection = database.connect()
        self._connection.autocommit = True

    def close(self) -> None:
        self._connection.close()

    def fill(self, rows: list[Row], notes: list[str | None], cards: list[str | None]) -> None:
        people = [(row.id, row.email, row.sub) for row in rows]
        with self._connection.cursor() as cursor:
            cursor.execute("TRUNCATE users, notes, cards")
            cursor.executemany("INSERT INTO users VALUES (%s, %s, %s)", people)
            cursor.executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(notes)))
            cursor.executemany("INSERT INTO cards VALUES (%s, %s)", list(enumerate(cards)))

    def remap(self, pool: list[PoolUser], rules: Rules, *, dry_run: bool = False) -> RemapResult:
        table = UsersTable.of("public.users", "email", "cognito_sub")
        options = RemapOptions(
            "test",
            table,
            require_verified_email=rules.require_verified,
            release_mismatched=rules.release_mismatched,
            follow=FOLLOW if rules.follow else FollowRules(),
            dry_run=dry_run,
        )
        exchange = exchange_of(pool)
        return remap_users(
            self.address,
            options,
            lambda target: load_mapping(target, exchange, "manifest"),
            lambda _: "report",
        )

    def subs(self, expected: dict[int, str | None]) -> dict[int, str | None]:
        """Return the sub of each row, UNLINKED for those that are rightly unlinked."""
        subs = self.read("cognito_sub")
        taken = {key: subs[key] for key, sub in expected.items() if sub == UNLINKED}
        values = [sub for sub in taken.values() if sub is not None]
        assert not set(values) & set(expected.values()), "none is a user's of the pool"
        assert len(set(values)) == len(values), "each is another one"
        return subs | dict.fromkeys(taken, UNLINKED)

    def versions(self) -> list[dict[int, Any]]:
        """Return what changes when a row is written, even with the values that it had."""
        version = "tableoid::text || xmin::text || ctid::text"
        return [self.read(version, table) for table in ("users", "notes", "cards")]

    def read(self, what: str, table: str = "users") -> dict[int, Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT id, {what} FROM {table}")
            return dict(cursor.fetchall())


def exchange_of(pool: list[PoolUser]) -> Exchange:
    """Return a folder with the listing of a pool, in the memory and not in S3."""
    manifest = Manifest((Part("part", len(pool)),), len(pool), pages=1)
    files = {"part": part_of(pool), "manifest": json.dumps(manifest.to_json()).encode()}
    client: Any = SimpleNamespace(
        get_object=lambda *, Bucket, Key: {"Body": io.BytesIO(files[Key])}  # noqa: ARG005, N803  # boto3's names
    )
    return Exchange(client, "exchange", "test")


@pytest.fixture(params=TABLES)
def column(request: pytest.FixtureRequest) -> str:
    """How the sub column and the table are declared."""
    name: str = request.param
    return name


@pytest.fixture
def users(databases: Databases, column: str) -> Iterator[Users]:
    statements = f"CREATE TABLE users (id int, email text, cognito_sub {column};"
    if "PARTITION" in column:
        statements += PARTITIONS
    statements += "CREATE TABLE notes (id int, sub text);"
    statements += f"CREATE TABLE cards (id int, sub {CARDS.get(column, 'text')});"
    database = databases.make(statements)
    database.mark()
    users = Users(database)
    yield users
    users.close()


class Drawn(NamedTuple):
    """What the tables hold: the users, and subs in tables that follow them, or do not."""

    rows: list[Row]
    notes: list[str | None]
    cards: list[str | None]

    @classmethod
    def of(cls, data: st.DataObject, column: str) -> "Drawn":
        people = data.draw(TABLES[column], label="table")
        rows = [Row(number, email, sub) for number, (email, sub) in enumerate(people)]
        held: st.SearchStrategy[str | None] = st.sampled_from([None, *(row.sub for row in rows)])
        notes = data.draw(st.lists(held | SUBS, max_size=5), label="notes")
        return cls(rows, notes, data.draw(st.lists(held, max_size=5), label="cards"))

    def followers(self, column: str, rules: Rules) -> dict[str, list[str | None]]:
        """Return the tables that follow."""
        followers = {"notes": self.notes} if rules.follow else {}
        return followers | ({"cards": self.cards} if column in CARDS else {})


def check_followers(
    users: Users, drawn: Drawn, following: dict[str, list[str | None]], expected: Expected
) -> None:
    """Check that every row has the sub of its person, and of nobody if it had nobody's."""
    subs = users.read("cognito_sub::text")
    for table, held in {"notes": drawn.notes, "cards": drawn.cards}.items():
        found = users.read("sub::text", table)
        for number, sub in enumerate(held):
            person = None
            if table in following:
                person = person_who_takes_along(sub, drawn.rows, expected)
            assert found[number] == (sub if person is None else subs[person])
    if following:
        taken = [subs[key] for key, sub in expected.subs.items() if sub == UNLINKED]
        assert None not in taken, "what follows would lose its person"


def expected_counts(
    drawn: Drawn, following: dict[str, list[str | None]], expected: Expected
) -> dict[str, int]:
    """Return how many rows of each table must follow; raises SharedError if nobody knows."""
    return {
        f"public.{table}.sub": sum(
            person_who_takes_along(sub, drawn.rows, expected) is not None for sub in held
        )
        for table, held in following.items()
    }


# The fixture's tables are filled anew for each example.
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    data=st.data(),
    pool=POOLS,
    rules=st.builds(Rules, st.booleans(), st.booleans(), st.booleans()),
)
def test_a_remap_does_what_its_dry_run_and_the_model_say_and_a_second_one_nothing(
    users: Users, column: str, data: st.DataObject, pool: list[PoolUser], rules: Rules
) -> None:
    drawn = Drawn.of(data, column)
    expected = expect(
        drawn.rows,
        pool,
        require_verified=rules.require_verified,
        release_mismatched=rules.release_mismatched,
    )
    users.fill(*drawn)
    untouched = users.versions()
    following = drawn.followers(column, rules)
    try:
        followers = expected_counts(drawn, following, expected)
    except SharedError:
        for dry_run in (True, False):
            with pytest.raises(SchemaMismatch, match="nobody knows whom these follow"):
                users.remap(pool, rules, dry_run=dry_run)
        assert users.versions() == untouched
        return

    dry = users.remap(pool, rules, dry_run=True)

    assert dry.counts.output() == expected.counts
    assert dry.followers == followers
    assert users.versions() == untouched

    first = users.remap(pool, rules)

    assert first.counts.output() == expected.counts
    assert first.followers == followers
    assert users.subs(expected.subs) == expected.subs
    check_followers(users, drawn, following, expected)
    before = users.versions()

    second = users.remap(pool, rules).counts

    assert (second.updated, second.unlinked) == (0, 0)
    assert second.mismatched == (0 if rules.release_mismatched else first.counts.mismatched)
    assert second.unchanged == first.counts.updated + first.counts.unchanged
    assert users.versions() == before

"""UpdateDb: whatever types, names and partitions the users table has."""

import uuid
from collections.abc import Callable

import pytest

from common.errors import SchemaMismatch
from sandbox.database import Database
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import USERS, PoolUser, Remap, Staging
from tests.support.databases import Databases

SUBS = [str(uuid.UUID(int=number)) for number in range(1, 7)]
TYPES = [
    "text",
    "varchar",
    "varchar(36)",
    "varchar(64)",
    "varchar(255)",
    "char(36)",
    "char(40)",
    "uuid",
    "app.sub_text",
    "app.sub_uuid",
]
DOMAINS = """
CREATE SCHEMA app;
CREATE DOMAIN app.sub_text AS varchar(36);
CREATE DOMAIN app.sub_uuid AS uuid;
"""


def people(*subs: str) -> str:
    """Return the INSERT of u1@example.com, u2@example.com, … with these subs."""
    rows = ", ".join(
        f"({number}, 'u{number}@example.com', '{sub}')" for number, sub in enumerate(subs, 1)
    )
    return f"INSERT INTO users VALUES {rows}"


def remap_a_cycle_and_a_holder(staging: Staging) -> Remap:
    """Let the first three rows change places; the fourth's sub goes to the fifth."""
    return staging.remap(
        PoolUser("u1@example.com", SUBS[1]),
        PoolUser("u2@example.com", SUBS[2]),
        PoolUser("u3@example.com", SUBS[0]),
        PoolUser("u5@example.com", SUBS[3]),
    )


UNIQUE_OR_NOT = [
    *((name, "UNIQUE") for name in TYPES),
    ("text", ""),
    ("text", "UNIQUE DEFERRABLE INITIALLY DEFERRED"),
]


@pytest.mark.parametrize(("type_name", "unique"), UNIQUE_OR_NOT)
def test_a_sub_that_is_taken_away_becomes_null(
    make_staging: MakeStaging, type_name: str, unique: str
) -> None:
    schema = f"{DOMAINS} CREATE TABLE users (id int, email text, cognito_sub {type_name} {unique})"
    staging = make_staging(people(*SUBS[:5]), schema)

    result = remap_a_cycle_and_a_holder(staging)

    assert staging.subs() == {1: SUBS[1], 2: SUBS[2], 3: SUBS[0], 4: None, 5: SUBS[3]}
    assert result.counts == {"updated": 4, "unlinked": 1}
    assert remap_a_cycle_and_a_holder(staging).output["updated"] == 0


@pytest.mark.parametrize(("type_name", "unique"), UNIQUE_OR_NOT)
def test_a_sub_that_is_taken_away_becomes_a_unique_value_where_null_is_not_allowed(
    make_staging: MakeStaging, type_name: str, unique: str
) -> None:
    schema = (
        f"{DOMAINS} CREATE TABLE users (id int, email text, cognito_sub {type_name} NOT NULL"
        f" {unique})"
    )
    staging = make_staging(people(*SUBS[:4]), schema)

    # The first two lose their subs to the others, and must not get the same value.
    result = staging.remap(PoolUser("u3@example.com", SUBS[0]), PoolUser("u4@example.com", SUBS[1]))

    subs = staging.subs()
    assert (subs[3], subs[4]) == (SUBS[0], SUBS[1])
    unlinked = {subs[1].strip(), subs[2].strip()}
    assert len(unlinked) == 2
    assert not unlinked & set(SUBS)
    if type_name not in {"uuid", "app.sub_uuid"}:  # which hold nothing but random values
        assert all(value.startswith("unlinked:") and len(value) >= 36 for value in unlinked)
    assert result.counts == {"updated": 2, "unlinked": 2}


@pytest.mark.parametrize(
    "declared",
    [
        "text UNIQUE CHECK (cognito_sub IS NOT NULL)",
        "text NOT NULL UNIQUE CHECK (cognito_sub ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')",
        "text UNIQUE NULLS NOT DISTINCT",
    ],
)
def test_people_change_places_where_neither_null_nor_any_text_is_taken(
    make_staging: MakeStaging, declared: str
) -> None:
    schema = f"CREATE TABLE users (id int, email text, cognito_sub {declared})"
    staging = make_staging(people(*SUBS[:2]), schema)

    staging.remap(PoolUser("u1@example.com", SUBS[1]), PoolUser("u2@example.com", SUBS[0]))

    assert staging.subs() == {1: SUBS[1], 2: SUBS[0]}


def test_what_refers_to_a_sub_follows_people_who_change_places(make_staging: MakeStaging) -> None:
    schema = f"""
    {USERS};
    CREATE TABLE orders (buyer int, sub text REFERENCES users (cognito_sub) ON UPDATE CASCADE);
    """
    rows = f"{people(*SUBS[:3])}; INSERT INTO orders SELECT id, cognito_sub FROM users"
    staging = make_staging(rows, schema)

    staging.remap(PoolUser("u1@example.com", SUBS[1]), PoolUser("u2@example.com", SUBS[0]))

    orders = staging.database.rows("SELECT * FROM orders ORDER BY buyer")
    assert orders == [(1, SUBS[1]), (2, SUBS[0]), (3, SUBS[2])]


def test_a_domain_that_forbids_null_gets_a_unique_value(make_staging: MakeStaging) -> None:
    schema = """
    CREATE DOMAIN sub AS text NOT NULL;
    CREATE TABLE users (id int, email text, cognito_sub sub);
    """
    staging = make_staging(people("s-1", "s-2"), schema)

    staging.remap(PoolUser("u1@example.com", "s-2"))

    assert staging.subs()[1] == "s-2"
    assert staging.subs()[2].startswith("unlinked:")


def test_a_domain_that_is_made_of_a_domain_is_seen_through(make_staging: MakeStaging) -> None:
    schema = """
    CREATE DOMAIN some_uuid AS uuid NOT NULL;
    CREATE DOMAIN sub AS some_uuid;
    CREATE TABLE users (id int, email text, cognito_sub sub);
    """
    staging = make_staging(people(*SUBS[:2]), schema)

    staging.remap(PoolUser("u1@example.com", SUBS[1]))

    assert staging.subs()[1] == SUBS[1]
    assert staging.subs()[2] not in {None, *SUBS}


@pytest.mark.parametrize(
    ("type_name", "old", "new"),
    [("varchar(8)", "old", "more than 8"), ("uuid", SUBS[0], "is-no-uuid")],
)
def test_a_sub_that_the_column_cannot_hold_is_refused_and_not_cut(
    make_staging: MakeStaging, type_name: str, old: str, new: str
) -> None:
    schema = f"CREATE TABLE users (id int, email text, cognito_sub {type_name})"
    staging = make_staging(people(old), schema)

    with pytest.raises(SchemaMismatch) as caught:
        staging.remap(PoolUser("u1@example.com", new))

    assert staging.subs() == {1: old}
    assert new not in str(caught.value)


def test_a_table_of_another_schema_with_quoted_names_is_found(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = """
    CREATE SCHEMA "App Data";
    CREATE TABLE "App Data"."User""s table" (id int, "E-Mail" text, "Sub {0} %s" text UNIQUE);
    CREATE TABLE users (id int, email text, cognito_sub text);
    """
    rows = """
    INSERT INTO "App Data"."User""s table" VALUES (1, 'jane@example.com', 's-0'), (2, 'b', 's-1');
    INSERT INTO users VALUES (1, 'jane@example.com', 'of another table');
    """
    monkeypatch.setenv("USERS_TABLE", 'App Data.User"s table')
    monkeypatch.setenv("EMAIL_COLUMN", "E-Mail")
    monkeypatch.setenv("SUB_COLUMN", "Sub {0} %s")
    staging = make_staging(rows, schema)

    result = staging.remap(PoolUser("jane@example.com", "s-1"))

    named = staging.database.rows(
        'SELECT id, "Sub {0} %s" FROM "App Data"."User""s table" ORDER BY id'
    )
    assert named == [(1, "s-1"), (2, None)]
    assert staging.subs() == {1: "of another table"}
    assert result.counts == {"updated": 1, "unlinked": 1}


def test_a_partitioned_table_is_remapped_across_its_partitions(make_staging: MakeStaging) -> None:
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text) PARTITION BY RANGE (id);
    CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (3);
    CREATE TABLE users_2 PARTITION OF users FOR VALUES FROM (3) TO (9);
    CREATE UNIQUE INDEX ON users_1 (cognito_sub);
    CREATE UNIQUE INDEX ON users_2 (cognito_sub);
    """
    staging = make_staging(people(*SUBS[:5]), schema)

    result = remap_a_cycle_and_a_holder(staging)

    assert staging.subs() == {1: SUBS[1], 2: SUBS[2], 3: SUBS[0], 4: None, 5: SUBS[3]}
    assert result.counts == {"updated": 4, "unlinked": 1}


def test_rows_may_move_between_partitions_when_their_sub_changes(
    make_staging: MakeStaging,
) -> None:
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text UNIQUE)
        PARTITION BY HASH (cognito_sub);
    CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE users_2 PARTITION OF users FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    """
    staging = make_staging(people(*SUBS[:5]), schema)

    result = remap_a_cycle_and_a_holder(staging)

    assert staging.subs() == {1: SUBS[1], 2: SUBS[2], 3: SUBS[0], 4: None, 5: SUBS[3]}
    assert result.counts == {"updated": 4, "unlinked": 1}
    assert remap_a_cycle_and_a_holder(staging).output["updated"] == 0


def test_rows_of_a_table_that_inherits_are_users_too(make_staging: MakeStaging) -> None:
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text);
    CREATE TABLE former_users () INHERITS (users);
    """
    rows = f"{people('p-1', 's-2')}; INSERT INTO former_users VALUES (3, 'u3@example.com', 's-1')"
    staging = make_staging(rows, schema)

    result = staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u3@example.com", "s-2"))

    assert staging.subs() == {1: "s-1", 2: None, 3: "s-2"}
    assert result.counts == {"updated": 2, "unlinked": 1}


@pytest.mark.parametrize("schema", ["public", "ext"])
def test_a_column_that_ignores_case_is_compared_like_any_other(
    make_staging: MakeStaging, system_databases: Databases, schema: str
) -> None:
    tables = f"""
    CREATE SCHEMA IF NOT EXISTS {schema};
    CREATE EXTENSION citext SCHEMA {schema};
    CREATE TABLE users (id int, email {schema}.citext UNIQUE, cognito_sub {schema}.citext UNIQUE);
    """
    staging = make_staging(people("P-1", "p-2"), tables, on=system_databases)

    result = staging.remap(PoolUser("U1@Example.com", "s-1"))

    assert staging.subs() == {1: "s-1", 2: "p-2"}
    assert result.counts == {"updated": 1, "skipped_no_cognito_user": 1}


def test_an_older_server_is_remapped_too(
    make_staging: MakeStaging,
    databases: Databases,
    use_database: Callable[[Database], None],
) -> None:
    made = make_staging()
    with databases.on_server_of(16) as older:
        database = older.make(USERS, people(*SUBS[:5]))
        database.mark()
        use_database(database)
        staging = Staging(database, made.s3, made.exchange)

        result = remap_a_cycle_and_a_holder(staging)

        assert staging.subs() == {1: SUBS[1], 2: SUBS[2], 3: SUBS[0], 4: None, 5: SUBS[3]}
        assert result.counts == {"updated": 4, "unlinked": 1}

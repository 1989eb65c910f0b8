"""Columns that look personal and that nobody has decided about: told, refused or masked."""

from typing import Any

import pytest

from common.errors import ConfigurationError
from tests.integration.db_sync.masking import Masks, refusal, sync_masked
from tests.support.databases import Databases

USERS = """
CREATE TABLE users (id int PRIMARY KEY, email text, name text, note text, settings jsonb,
    tags text[], seen_from inet, created_at timestamptz);
CREATE TABLE plain (id int PRIMARY KEY, note text, born date);
CREATE TABLE nothing (id int PRIMARY KEY, note text);
"""
ROWS = """
INSERT INTO users VALUES (1, 'ada@x.org', 'Ada Lovelace', 'likes tea', '{"a": "Ada"}', '{Ada}',
    '192.0.2.1', '2020-01-01');
INSERT INTO plain VALUES (1, 'a note', '1815-12-10');
INSERT INTO nothing VALUES (1, 'a note');
"""


def told(table: str, *columns: str) -> str:
    return (
        f'Columns of public.{table} look personal, and neither a rule of "mask" nor "reviewed"'
        f" names them: {', '.join(columns)}. Add each to one of the two."
    )


def test_they_are_named_in_one_warning_per_table(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)

    result = sync_masked(pair, {"public.users.email": "email"})

    assert result.warnings == (
        told("plain", "born"),
        told("users", "name", "note", "settings", "tags", "seen_from"),
    )
    assert result.unmasked == {
        "public.plain.born": "its name",
        "public.users.name": "its type, in a table with masks",
        "public.users.note": "its type, in a table with masks",
        "public.users.settings": "its type, in a table with masks",
        "public.users.tags": "its type, in a table with masks",
        "public.users.seen_from": "its type, in a table with masks",
    }
    assert pair.target.value("SELECT name FROM users") == "Ada Lovelace"


def test_those_that_were_reviewed_are_not(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)

    result = sync_masked(
        pair,
        {"public.users.email": "email"},
        reviewed=["public.users.n*", "*.settings", "public.*.born", "public.users.tags"],
    )

    assert result.warnings == (told("users", "seen_from"),)


def test_a_sync_without_rules_looks_at_none(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)

    assert sync_masked(pair, {}).warnings == ()


@pytest.mark.parametrize("dry_run", [False, True])
def test_they_stop_the_sync_before_anything_is_copied(
    databases: Databases, *, dry_run: bool
) -> None:
    pair = databases.pair(USERS, source=ROWS)

    with pytest.raises(ConfigurationError) as refused:
        sync_masked(pair, {"public.users.email": "email"}, unreviewed="fail", dry_run=dry_run)

    assert refused.value.reasons == (
        f"{told('plain', 'born')} Nothing was copied.",
        f"{told('users', 'name', 'note', 'settings', 'tags', 'seen_from')} Nothing was copied.",
    )
    assert pair.target.value("SELECT count(*) FROM users") == 0


def test_they_are_masked_by_the_defaults_of_their_types(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)
    masks: Masks = {"public.users.email": "email"}

    result = sync_masked(pair, masks, unreviewed="mask")

    by = "by the default for columns that were not reviewed"
    assert result.masked == {
        "public.plain.born": f"date, {by}",
        "public.users.email": 'email, by the rule "public.users.email"',
        "public.users.name": f"text, {by}",
        "public.users.note": f"text, {by}",
        "public.users.seen_from": f"ip, {by}",
        "public.users.settings": f"null, {by}",
        "public.users.tags": f"text, {by}",
    }
    assert result.warnings == ()
    contents = pair.target.contents()
    assert not [each for each in ("Ada", "tea", "1815-12-10", "192.0.2.1") if each in contents]
    assert sync_masked(pair, masks, unreviewed="mask").status == "unchanged"


def test_every_type_has_a_default(system_databases: Databases) -> None:
    pair = system_databases.pair(
        """
        CREATE EXTENSION hstore; CREATE EXTENSION citext;
        CREATE TYPE pair AS (a text, b text);
        CREATE DOMAIN settings AS jsonb NOT NULL;
        CREATE TABLE t (id int PRIMARY KEY, email citext UNIQUE, token uuid UNIQUE,
            pin bigint UNIQUE,
            passport varchar(30) UNIQUE, secret bytea, birth timestamptz, salary numeric(9, 2),
            lat double precision, location point, address pair, photo oid, gender boolean,
            ip cidr, phone varchar(9), geo json NOT NULL, health settings, bio xml NOT NULL,
            avatar tsvector NOT NULL, city hstore NOT NULL, street text[] NOT NULL,
            house int[] NOT NULL, zip char(5), diagnosis jsonb[] NOT NULL, signature text NOT NULL,
            device_id macaddr)
        """,
        source="""
        INSERT INTO t VALUES (1, 'ada@x.org', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1234,
            'passport 1', 'hidden', '1815-12-10', 4711.11, 51.5, '(1, 2)', '(hidden,hidden)', 4711,
            true, '192.0.2.0/24', '5550100', '{"hidden": 1}', '{"hidden": 1}', '<hidden/>',
            'hidden', 'hidden => 1', '{hidden}', '{4711, 4712}', '12345',
            ARRAY['{"hidden": 1}'::jsonb], 'hidden', '08:00:2b:01:02:03')
        """,
    )

    result = sync_masked(pair, {}, unreviewed="mask")

    assert len(result.masked) == 25
    contents = pair.target.contents()
    assert not [each for each in ("hidden", "4711", "192.0.2", "08:00:2b") if each in contents]
    assert sync_masked(pair, {}, unreviewed="mask").status == "unchanged"


def test_a_column_without_a_default_is_refused(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, location point NOT NULL)")

    assert refusal(pair, {}, unreviewed="mask") == (
        "public.t.location cannot be masked: it looks personal, and no default holds for it; give"
        ' it a rule, or name it in "reviewed"',
    )


def test_a_column_that_a_migration_adds_is_told_refused_or_masked(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)
    masks: Masks = {"public.users.email": "email"}
    reviewed = ["public.*.*"]
    before = ["public.users.n*", "*.settings", "*.born", "*.tags", "*.seen_from"]
    sync_masked(pair, masks, unreviewed="fail", reviewed=before)
    for database in pair:
        database.execute("ALTER TABLE users ADD COLUMN phone_number text DEFAULT '+49 30 1234'")

    with pytest.raises(ConfigurationError, match=r"public\.users look personal.*: phone_number"):
        sync_masked(pair, masks, unreviewed="fail", reviewed=before)
    warned = sync_masked(pair, masks, reviewed=before)
    masked = sync_masked(pair, masks, unreviewed="mask", reviewed=before)

    assert warned.warnings == (told("users", "phone_number"),)
    assert masked.masked["public.users.phone_number"].startswith("phone, by the default")
    assert pair.target.value("SELECT phone_number FROM users").startswith("+999")
    assert sync_masked(pair, masks, reviewed=reviewed).warnings == ()


def test_a_column_that_refers_to_another_follows_its_default(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE);"
        "CREATE TABLE orders (id int PRIMARY KEY, email text REFERENCES users (email))",
        source="INSERT INTO users VALUES (1, 'a@x.org'); INSERT INTO orders VALUES (1, 'a@x.org')",
    )

    result = sync_masked(pair, {}, unreviewed="mask")

    assert result.masked["public.users.email"].startswith("email, by the default")
    assert result.masked["public.orders.email"].startswith("email, by the foreign key")
    assert pair.target.value("SELECT count(*) FROM users JOIN orders USING (email)") == 1


def test_a_column_is_told_by_the_name_of_one_that_refers_to_it(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE codes (code text PRIMARY KEY);"
        "CREATE TABLE orders (id int PRIMARY KEY, customer_name text REFERENCES codes)",
        source="INSERT INTO codes VALUES ('Ada'); INSERT INTO orders VALUES (1, 'Ada')",
    )

    told_of = sync_masked(pair, {}, reviewed=["*.id"]).warnings
    result = sync_masked(pair, {}, unreviewed="mask")

    assert told_of == (told("codes", "code"),)
    assert result.masked.keys() == {"public.codes.code", "public.orders.customer_name"}
    assert pair.target.value("SELECT count(*) FROM orders WHERE customer_name = 'Ada'") == 0


@pytest.mark.parametrize("unreviewed", ["warn", "mask"])
def test_columns_that_refer_to_each_other_are_not_forgotten(
    databases: Databases, unreviewed: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE a (email text PRIMARY KEY, id int);"
        "CREATE TABLE b (email text PRIMARY KEY REFERENCES a);"
        "ALTER TABLE a ADD FOREIGN KEY (email) REFERENCES b DEFERRABLE INITIALLY DEFERRED",
        source="BEGIN; INSERT INTO a VALUES ('x@x.org'); INSERT INTO b VALUES ('x@x.org'); COMMIT",
    )

    result = sync_masked(pair, {}, unreviewed=unreviewed, reviewed=["public.a.id"])

    if unreviewed == "mask":
        assert result.masked.keys() == {"public.a.email", "public.b.email"}
    else:
        assert result.warnings == (told("a", "email"),)


def test_a_column_whose_parent_is_excluded_is_not_forgotten(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE users (email text PRIMARY KEY);"
        "CREATE TABLE orders (id int PRIMARY KEY, email text REFERENCES users)",
        source="INSERT INTO users VALUES ('a@x.org'); INSERT INTO orders VALUES (1, 'a@x.org')",
        target="INSERT INTO users VALUES ('a@x.org')",
    )

    result = sync_masked(pair, {}, reviewed=["*.id"], exclude=["public.users"])

    assert result.warnings == (told("orders", "email"),)


PERSONS: dict[str, Any] = {"keep": [{"column": "public.users.sub", "while_same": ["email"]}]}
PERSON = "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, sub text UNIQUE)"


@pytest.mark.parametrize(
    ("masks", "unreviewed", "because"),
    [
        ({"public.users.email": "hash"}, "warn", 'the rule "public.users.email" as hash'),
        ({"*.email": "text"}, "warn", 'the rule "*.email" as text'),
        ({}, "mask", "the default for columns that were not reviewed as email"),
    ],
)
def test_the_email_that_tells_persons_apart_may_have_no_other_mask(
    databases: Databases, masks: Masks, unreviewed: str, because: str
) -> None:
    pair = databases.pair(PERSON)

    with pytest.raises(ConfigurationError) as refused:
        sync_masked(pair, masks, unreviewed=unreviewed, **PERSONS)

    assert refused.value.reasons[0] == (
        f"public.users.email is masked by {because}. It tells whose row is whose"
        ' ("while_same"), so it may have a rule of its own of the kind "email" only, or none: then'
        ' name it in "reviewed".'
    )


def test_the_email_that_tells_persons_apart_may_not_follow_another_column(
    databases: Databases,
) -> None:
    pair = databases.pair(
        f"CREATE TABLE logins (email text PRIMARY KEY); {PERSON};"
        " ALTER TABLE users ADD FOREIGN KEY (email) REFERENCES logins"
    )

    with pytest.raises(ConfigurationError) as refused:
        sync_masked(pair, {"public.logins.email": "email"}, **PERSONS)

    assert "is masked by the foreign key users_email_fkey to public.logins.email as email" in str(
        refused.value
    )


def test_rules_of_a_keyed_kind_need_a_key(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)
    keyed: Masks = {"public.users.settings": {"with": "json", "paths": {"$.a": "hash"}}}

    with pytest.raises(ConfigurationError, match=r"needs a key: .*MASK_KEY"):
        sync_masked(pair, keyed, key=None)
    result = sync_masked(pair, {"public.users.email": "null"}, key=None)

    assert result.status == "synced"
    assert pair.target.value("SELECT count(email) FROM users") == 0


def test_kept_columns_are_looked_at_since_new_rows_bring_productions_values(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, email text, phone text, cognito_sub text)",
        source="INSERT INTO users VALUES (1, 'ada@x.org', '+49 170 1234', 'sub')",
    )

    result = sync_masked(
        pair,
        {"public.users.email": "email"},
        keep=[
            "public.users.phone",
            {"column": "public.users.cognito_sub", "while_same": ["email"]},
        ],
    )

    assert result.warnings == (told("users", "phone"),)


def test_a_column_that_the_source_computes_from_a_masked_one_is_not_forgotten(
    databases: Databases,
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, since date, day int)")
    pair.source.execute(
        "ALTER TABLE t DROP COLUMN day, ADD day int GENERATED ALWAYS AS (extract(doy FROM since))"
        " STORED; INSERT INTO t (id, since) VALUES (1, '1815-12-10')"
    )

    with pytest.raises(ConfigurationError) as refused:
        sync_masked(pair, {"public.t.since": "date"}, unreviewed="fail")

    assert told("t", "day") in str(refused.value)
    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_a_column_that_refers_to_an_excluded_one_with_a_rule_is_not_forgotten(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE users (code int PRIMARY KEY);"
        "CREATE TABLE orders (id int PRIMARY KEY, owner int REFERENCES users)",
        source="INSERT INTO users VALUES (7); INSERT INTO orders VALUES (1, 7)",
        target="INSERT INTO users VALUES (7)",
    )

    result = sync_masked(pair, {"public.users.code": "hash"}, exclude=["public.users"])

    assert result.warnings == (told("orders", "owner"),)


def test_a_column_of_a_composite_type_in_a_table_with_masks_is_told(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TYPE place AS (street text, town text); CREATE DOMAIN somewhere AS place;"
        "CREATE TABLE t (id int PRIMARY KEY, v int, lives place, works somewhere)"
    )

    result = sync_masked(pair, {"public.t.v": "hash"})

    assert result.warnings == (told("t", "lives", "works"),)

"""What mask-plan proposes, by names, contents and keys, and that it holds."""

import pytest

from common.postgres.names import Name, TableColumn
from tests.integration.db_sync.mask_planning import planned, proposed, synced
from tests.support.databases import Databases


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("'orig' || i || '@orig.test'", "email"),
        ("'+49 170 1234' || i", "phone"),
        ("'030 12345' || i", "phone"),
        ("'555-123-' || 1000 + i", "phone"),
        ("'DE89 3704 0044 0532 0130 0' || i", "hash"),
        ("'10.1.2.' || i", "ip"),
        ("'2001:db8::' || i", "ip"),
        ("'Please write to orig' || i || '@orig.test soon'", "text"),
        ("CASE WHEN i = 1 THEN 'ask orig@orig.test' ELSE 'nothing' END", "text"),
    ],
)
def test_a_column_is_proposed_by_its_values(databases: Databases, values: str, kind: str) -> None:
    source = databases.make(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        f"INSERT INTO t SELECT i, {values} FROM generate_series(1, 9) i;"
        " INSERT INTO t VALUES (10, NULL), (11, '')",
    )

    assert proposed(source) == {"public.t.v": kind}


@pytest.mark.parametrize(
    "values",
    [
        "gen_random_uuid()",
        "'2024-01-0' || i",
        "'01.02.200' || i",
        "'12:30:0' || i",
        "'978-3-16-148410-' || i",
        "1234567890 + i",
        "'1.2.' || i",
        "'a word'",
        "''",
    ],
)
def test_values_that_are_nobodys_are_not_proposed(databases: Databases, values: str) -> None:
    source = databases.make(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        f"INSERT INTO t SELECT i, {values} FROM generate_series(1, 9) i",
    )

    assert proposed(source) == {}


def test_a_domain_and_an_array_are_looked_into_too(databases: Databases) -> None:
    source = databases.make(
        "CREATE DOMAIN reach AS varchar(60);"
        " CREATE TABLE t (id int PRIMARY KEY, a reach, b text[])",
        "INSERT INTO t VALUES (1, 'o@orig.test', ARRAY['o@orig.test'])",
    )

    assert proposed(source) == {"public.t.a": "email", "public.t.b": "email"}


def test_a_child_follows_its_parent_by_itself(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE people (email text PRIMARY KEY);"
        " CREATE TABLE visits (id int PRIMARY KEY, who text REFERENCES people);"
        " CREATE TABLE notes (id int PRIMARY KEY, visitor text REFERENCES people, body text)",
        source="INSERT INTO people VALUES ('o@orig.test'); INSERT INTO visits VALUES (1,"
        " 'o@orig.test'); INSERT INTO notes VALUES (1, 'o@orig.test', 'words')",
    )

    plan = planned(pair.source)

    # A followed rule makes what is beside it look personal too.
    assert plan.rules["mask"] == {"public.people.email": "email", "public.notes.body": "text"}
    assert synced(pair, plan.rules).warnings == ()


def test_a_parent_gets_no_mask_that_its_children_cannot_hold(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE people (email varchar(90) UNIQUE, id int PRIMARY KEY);"
        " CREATE TABLE visits (id int PRIMARY KEY, who varchar(80) REFERENCES people (email))",
        source="INSERT INTO people VALUES ('o@orig.test', 1);"
        " INSERT INTO visits VALUES (1, 'o@orig.test')",
    )

    plan = planned(pair.source)

    at = TableColumn(Name("public", "people"), "email")
    assert plan.rules["mask"] == {}
    assert "no mask holds" in plan.proposal.undecidable[at]
    assert synced(pair, plan.rules).status == "synced"


def test_a_unique_column_gets_a_kind_with_bits_enough(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE people (id int PRIMARY KEY, phone text UNIQUE NOT NULL,"
        " pin integer UNIQUE, passport varchar(6) UNIQUE)",
        source="INSERT INTO people SELECT i, '+49 170 ' || i, i, i FROM generate_series(1, 900) i;"
        " ANALYZE people",
    )

    rules = planned(pair.source).rules

    assert rules["mask"] == {
        "public.people.phone": "hash",
        "public.people.pin": "null",
        "public.people.passport": "null",
    }
    assert synced(pair, rules).warnings == ()


def test_the_first_kind_that_the_checks_take_is_proposed(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE DOMAIN dial AS text CHECK (value ~ '^[+]49');"
        " CREATE TABLE people (id int PRIMARY KEY, a text CHECK (a ~ '^[+]49'), phone_a dial,"
        " phone_b text NOT NULL CHECK (phone_b ~ '^[0-9a-f]{32}$' OR phone_b ~ '^[+]49'),"
        " phone_c text NOT NULL CHECK (phone_c ~ '^[+]49'))",
        source="INSERT INTO people SELECT i, n, n, n, n FROM generate_series(1, 9) i,"
        " LATERAL (SELECT '+49 170 12345' || i) numbers (n)",
    )

    plan = planned(pair.source)

    assert plan.rules["mask"] == {
        "public.people.a": "null",
        "public.people.phone_a": "null",
        "public.people.phone_b": "hash",
    }
    assert list(plan.proposal.undecidable) == [TableColumn(Name("public", "people"), "phone_c")]
    (warning,) = synced(pair, plan.rules).warnings
    assert "phone_c" in warning


def test_null_is_not_proposed_where_one_row_only_may_have_it(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE people (id int PRIMARY KEY, pin integer UNIQUE NULLS NOT DISTINCT)",
        "INSERT INTO people SELECT i, i FROM generate_series(1, 900) i; ANALYZE people",
    )

    assert proposed(source) == {}


def test_what_tells_whose_a_row_is_gets_the_kind_email_or_nothing(databases: Databases) -> None:
    keep = [{"column": "public.users.sub", "while_same": ["login"]}]
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, login text UNIQUE NOT NULL, sub text UNIQUE)",
        source="INSERT INTO users VALUES (1, 'o@orig.test', 'sub')",
    )

    rules = planned(pair.source, {"keep": keep}).rules

    assert rules == {"keep": keep, "mask": {"public.users.login": "email"}}
    assert synced(pair, rules).warnings == ()


def test_an_enum_gets_one_of_its_labels_and_a_boolean_is_reviewed(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TYPE gender AS ENUM ('f', 'm'); CREATE TABLE people (id int PRIMARY KEY,"
        " gender gender NOT NULL, has_email boolean NOT NULL)",
        source="INSERT INTO people VALUES (1, 'm', true)",
    )

    rules = planned(pair.source).rules

    assert rules["mask"] == {"public.people.gender": {"with": "fixed", "value": "f"}}
    assert rules["reviewed"] == ["public.people.has_email"]
    assert synced(pair, rules).warnings == ()


def test_names_that_need_quotes_are_written_so_that_the_rules_find_them(
    databases: Databases,
) -> None:
    pair = databases.pair(
        'CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."c.d" (id int PRIMARY KEY, "e.mail" text,'
        ' """phone""" text, "its email" text)',
        source="INSERT INTO \"a.b\".\"c.d\" VALUES (1, 'o@orig.test', '+49 170 12345', 'p@q.r')",
    )

    rules = planned(pair.source).rules

    assert set(rules["mask"].values()) == {"email", "phone"}
    assert len(rules["mask"]) == 3
    assert synced(pair, rules).warnings == ()


def test_reviewed_ruled_and_excluded_columns_stay_as_they_are_and_kept_ones_are_looked_at(
    databases: Databases,
) -> None:
    source = databases.make(
        "CREATE TABLE a (id int PRIMARY KEY, email text, phone text, city text);"
        " CREATE TABLE b (id int PRIMARY KEY, email text);"
        " CREATE TABLE alembic_version (id int, email text)",
    )
    given = {
        "exclude": ["public.b"],
        "keep": ["public.a.city"],
        "mask": {"*.email": "hash"},
        "reviewed": ["public.a.phone"],
    }

    plan = planned(source, given)

    assert plan.rules == {**given, "mask": {"*.email": "hash", "public.a.city": "text"}}
    assert [str(table.name) for table in plan.plan.tables] == ["public.a"]
    assert plan.problems == []


def test_a_rule_that_does_not_hold_is_a_problem_and_stays(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE t (id int PRIMARY KEY, name text CHECK (length(name) < 4), n int)",
        "INSERT INTO t VALUES (1, 'abc', 1)",
    )
    given = {"mask": {"public.t.name": "hash", "public.t.n": "email", "public.gone.x": "hash"}}

    plan = planned(source, given)

    assert plan.rules == given
    assert len(plan.problems) == 3
    assert any("its masked values break t_name_check" in each for each in plan.problems)
    assert any('"public.gone.x"' in each for each in plan.problems)

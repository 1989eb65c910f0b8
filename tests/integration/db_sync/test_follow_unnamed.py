"""Columns that hold subs and that nobody named: how they are found, and what is said of them."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from common.follow.rules import FollowRules
from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.postgres.names import Name, TableColumn
from db_sync import sampling
from db_sync.follow.telling import notices_of
from db_sync.follow.unnamed import Found, Unnamed, find_unnamed
from db_sync.parts import dividing, jobs
from db_sync.parts.part import Division
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.planning import make_plan
from db_sync.planner import prepare
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from sandbox.database import Database
from tests.integration.db_sync.following import KEPT, SUB, insert_users, production_sub, sub_of
from tests.integration.db_sync.mask_planning import KEY
from tests.integration.db_sync.parts import SLOW
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases

USERS = """
CREATE TABLE users (
    id bigint PRIMARY KEY, email text NOT NULL UNIQUE, cognito_sub varchar(36) UNIQUE, other text
);
"""
NOTES = """
CREATE DOMAIN subject AS varchar(36);
CREATE TABLE notes (
    id bigint PRIMARY KEY, as_text text, as_varchar varchar(40), as_char char(36), as_uuid uuid,
    as_domain subject, texts text[], uuids uuid[], any_uuid uuid,
    link text, short varchar(35), number int, plain jsonb, doc jsonb
) WITH (autovacuum_enabled = off); -- which would analyze it while a test expects no statistics
"""
PARTITIONED = """
CREATE TABLE log (id int, by text) PARTITION BY RANGE (id);
CREATE TABLE log_0 PARTITION OF log FOR VALUES FROM (0) TO (10);
CREATE TABLE log_1 (more int, by text, id int);
ALTER TABLE log_1 DROP more;
ALTER TABLE log ATTACH PARTITION log_1 FOR VALUES FROM (10) TO (20);
"""
FILLED_PARTITION = "INSERT INTO log SELECT 10 + id, cognito_sub FROM users WHERE id < 10;"
FILLED = f"""
{insert_users(150)}
INSERT INTO notes
SELECT id, cognito_sub, cognito_sub, cognito_sub, cognito_sub::uuid, cognito_sub,
    ARRAY['admin', cognito_sub], ARRAY[cognito_sub::uuid], md5(id::text)::uuid,
    'https://x.example/' || cognito_sub,
    left(cognito_sub, 35), id, '{{"n": 1}}',
    jsonb_build_object('by', jsonb_build_array(jsonb_build_object('sub', cognito_sub)), 'n', id)
FROM users;
"""
HOLD_SUBS = ["as_text", "as_varchar", "as_char", "as_uuid", "as_domain", "texts", "uuids", "doc"]
A_SUB = sub_of("7")
FOLLOWED = TableColumn(Name("public", "users"), "cognito_sub")


def rules(**others: Any) -> SyncRules:
    return SyncRules.parse(json.dumps({"keep": [KEPT], **others}))


def find(
    source: Database, given: SyncRules | None = None, address: DatabaseAddress | None = None
) -> Found:
    """Return what is found on a source."""
    given = given or rules()
    with (
        connect(address or source.address, "source", execution="test", read_only=True) as session,
        session.transaction(),
    ):
        prepare(session)
        catalog = read_catalog(session)
        plan = make_plan(Catalogs(catalog, catalog), given, mask_key=MaskKey(KEY))
        return find_unnamed(session, plan, given.follow)


def found_in(source: Database, given: SyncRules | None = None) -> list[str]:
    return [str(each.column).removeprefix("public.") for each in find(source, given).columns]


@pytest.mark.parametrize("statistics", ["", "ANALYZE"], ids=["by rows", "by statistics"])
def test_columns_of_every_type_that_hold_subs_are_found(
    databases: Databases, statistics: str
) -> None:
    source = databases.make(USERS + NOTES, FILLED + statistics)

    found = find(source).columns

    assert [each.column.column for each in found] == HOLD_SUBS
    assert {str(each.followed) for each in found} == {SUB}
    assert all(0 < each.subs <= each.values for each in found)
    assert found[-1].rule == {"column": SUB, "paths": ["$.by[*].sub"]}
    assert found[0].rule == SUB


@pytest.mark.parametrize("statistics", ["", "ANALYZE"], ids=["by rows", "by statistics"])
def test_few_subs_among_other_values_are_enough(databases: Databases, statistics: str) -> None:
    source = databases.make(
        f"{USERS} CREATE TABLE log (id int, by text)",
        f"{insert_users(9)} INSERT INTO log SELECT i, 'cron' FROM generate_series(1, 40) i;"
        f" INSERT INTO log VALUES (0, {A_SUB}), (0, {A_SUB}); {statistics}",
    )

    (found,) = find(source).columns

    assert (found.subs, found.values) == (1, 2)


def test_a_value_that_is_no_uuid_proves_nothing(databases: Databases) -> None:
    source = databases.make(
        f"{USERS} CREATE TABLE log (id int, by text)",
        "INSERT INTO users VALUES (1, 'u', 'admin'); INSERT INTO log VALUES (1, 'admin')",
    )

    assert found_in(source) == []


def test_a_large_table_is_sampled_from_all_over_it(databases: Databases) -> None:
    source = databases.make(
        f"{USERS} CREATE TABLE log (id int, by text)",
        f"{insert_users(9)} INSERT INTO log"
        f" SELECT i, CASE WHEN i > 20000 THEN {sub_of('1 + i % 9')} END"
        " FROM generate_series(1, 40000) i",
    )

    assert found_in(source) == ["log.by"]


def test_a_column_without_values_in_the_statistics_is_looked_at(databases: Databases) -> None:
    source = databases.make(f"{USERS} CREATE TABLE one (id int, by text)", insert_users(9))
    source.execute(
        f"INSERT INTO one VALUES (1, {A_SUB})", "ANALYZE", "ALTER TABLE users ADD x text"
    )
    assert source.value("SELECT count(*) FROM pg_stats WHERE tablename = 'one'") == 2
    source.execute(f"UPDATE users SET x = {A_SUB}")

    assert found_in(source) == ["one.by", "users.x"]


def test_tables_that_statistics_know_are_not_read_and_partitions_count_for_their_table(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SECONDS", 0.3)
    source = databases.make(USERS + PARTITIONED + NOTES, FILLED + FILLED_PARTITION)
    before = found_in(source)
    source.execute("ANALYZE log_1, notes", "DELETE FROM log_1")

    with source.connect() as migration, migration.cursor() as cursor:
        cursor.execute("LOCK TABLE notes")
        found = find(source)
        migration.rollback()

    assert before == ["log.by", *(f"notes.{name}" for name in HOLD_SUBS)]
    assert found_in(source) == before
    assert not found.unseen
    assert [str(each.column).removeprefix("public.") for each in found.columns] == before
    assert found.columns[-1].paths == ()  # these are in the rows alone


def test_columns_that_follow_already_or_that_a_rule_names_are_not(databases: Databases) -> None:
    source = databases.make(
        f"""{USERS}
        CREATE TABLE cards (id int, owner varchar(36) UNIQUE REFERENCES users (cognito_sub));
        CREATE TABLE uses (id int, card_of varchar(36) REFERENCES cards (owner));
        CREATE TABLE wishes (id int, owner text, past_owner text, own text);
        CREATE TABLE skipped (id int, by text);
        """,
        f"""{insert_users(9)}
        INSERT INTO cards SELECT 1, {A_SUB};
        INSERT INTO uses SELECT 1, {A_SUB};
        INSERT INTO wishes SELECT 1, {A_SUB}, {A_SUB}, {A_SUB};
        INSERT INTO skipped SELECT 1, {A_SUB};
        """,
    )
    follow = {"public.wishes.owner": SUB, "public.wishes.past*": None}
    kept = [KEPT, "public.wishes.own"]

    given = rules(follow=follow, keep=kept, exclude=["public.skipped"])

    assert found_in(source, given) == []
    assert found_in(source) == ["skipped.by", "wishes.owner", "wishes.past_owner", "wishes.own"]


def test_a_column_of_the_users_table_is_found_and_its_key_is_not(databases: Databases) -> None:
    source = databases.make(
        """
        CREATE TABLE users (id text PRIMARY KEY, email text, cognito_sub text UNIQUE, name text);
        CREATE TABLE orders (id int, user_id text REFERENCES users, by text);
        """,
        f"""
        INSERT INTO users SELECT {sub_of("i")}, 'u' || i, {sub_of("i")}, {sub_of("i")}
        FROM generate_series(1, 9) i;
        INSERT INTO orders SELECT 1, id, id FROM users;
        """,
    )

    found = find(source)

    assert [str(each.column) for each in found.columns] == [
        "public.orders.by",
        "public.users.name",
    ]
    (warning,) = map(str, notices_of(found))
    assert (
        " In public.users such subs are keys as well: say null of public.orders.by,"
        " public.users.name if it refers to the key." in warning
    )


def test_a_sub_column_may_be_the_key_and_need_not_be_kept(databases: Databases) -> None:
    source = databases.make(
        """
        CREATE TABLE users (id uuid PRIMARY KEY, email text, boss uuid REFERENCES users);
        CREATE TABLE likes (id int, by_whom text);
        """,
        f"""
        INSERT INTO users SELECT {sub_of("i")}::uuid, 'u' || i, {sub_of("1")}::uuid
        FROM generate_series(1, 9) i;
        INSERT INTO likes SELECT 1, id FROM users;
        """,
    )
    of_key = {"column": "public.users.id", "while_same": ["email"]}

    assert found_in(source, rules(keep=[of_key])) == ["likes.by_whom"]
    assert found_in(source, rules(keep=[], follow={"a.b.c": "public.users.id"})) == [
        "likes.by_whom"
    ]
    assert found_in(source, rules(keep=[])) == []


def test_a_masked_column_counts_only_if_the_sub_has_the_same_mask(databases: Databases) -> None:
    source = databases.make(USERS + NOTES, FILLED)
    follow = {f"public.notes.{name}": None for name in HOLD_SUBS if name[:3] != "as_"}
    of_one = rules(follow=follow, mask={"public.notes.as_text": "uuid"}, reviewed=["*.*"])
    of_both = rules(follow=follow, mask={"public.notes.as_text": "uuid", SUB: "uuid"})

    assert "notes.as_text" not in found_in(source, of_one)
    assert found_in(source, of_one) == [
        f"notes.{name}" for name in HOLD_SUBS if name[:3] == "as_" and name != "as_text"
    ]
    assert found_in(source, of_both) == ["notes.as_text"]


def test_keys_of_documents_that_may_be_data_are_not_shown(databases: Databases) -> None:
    source = databases.make(
        f"{USERS} CREATE TABLE teams (id int, by_name jsonb, by_sub jsonb, whole jsonb)",
        f"""{insert_users(9)}
        INSERT INTO teams SELECT i,
            jsonb_build_object('Ada' || i, {sub_of("i")}), jsonb_build_object({sub_of("i")}, 1),
            to_jsonb({sub_of("i")})
        FROM generate_series(1, 9) i;
        """,
    )

    found = {each.column.column: each for each in find(source).columns}

    assert found["by_name"].paths == ("$.*",)
    assert "by_sub" not in found  # no path leads to a key
    assert not found["whole"].has_rule
    (warning,) = map(str, notices_of(find(source)))
    assert "public.teams.whole (9 of 9 sampled values; name their paths)" in warning


def test_tables_that_the_role_may_not_read_are_left_out(databases: Databases, role: str) -> None:
    source = databases.make(
        f"{USERS} CREATE TABLE open (id int, by text); CREATE TABLE closed (id int, by text);"
        " CREATE TABLE hidden (id int, by text); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
        f"{insert_users(9)} INSERT INTO open SELECT id, cognito_sub FROM users;"
        " INSERT INTO closed SELECT * FROM open; INSERT INTO hidden SELECT * FROM open; ANALYZE",
    )
    source.execute(f"GRANT SELECT ON users, open, hidden TO {role}")

    found = find(source, address=source.address_as(role))

    assert [str(each.column) for each in found.columns] == ["public.open.by"]


def test_a_role_that_may_not_read_statistics_finds_them_in_the_rows(
    databases: Databases, role: str
) -> None:
    source = databases.make(f"{USERS} CREATE TABLE log (id int, by text)", insert_users(9))
    source.execute("INSERT INTO log SELECT id, cognito_sub FROM users", "ANALYZE")
    source.execute(
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE SELECT ON pg_stats FROM PUBLIC",
    )

    found = find(source, address=source.address_as(role))

    assert [str(each.column) for each in found.columns] == ["public.log.by"]


def test_no_sub_column_and_an_empty_table_are_no_fault(databases: Databases) -> None:
    source = databases.make(USERS + NOTES, insert_users(9))

    assert find(source) == Found()
    assert find(source, SyncRules()) == Found()


def test_a_table_that_a_migration_has_locked_is_told_and_not_waited_for(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SECONDS", 0.2)
    source = databases.make(USERS + NOTES + "CREATE TABLE log (id int, by text)", FILLED)
    source.execute("INSERT INTO log SELECT id, cognito_sub FROM users")

    with source.connect() as migration, migration.cursor() as cursor:
        cursor.execute("LOCK TABLE notes")
        found = find(source)
        migration.rollback()

    assert [str(each.column) for each in found.columns] == ["public.log.by"]
    assert "columns of public.notes hold users' subs is not known" in str(
        list(notices_of(found))[-1]
    )


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_sync_says_which_lines_to_add_and_nothing_of_anybody(
    databases: Databases, dry_run: bool
) -> None:
    pair = databases.pair(USERS + NOTES, FILLED)

    (warning,) = sync(pair, rules=rules(), dry_run=dry_run).warnings

    assert "public.notes.as_text (50 of 50 sampled values), " in warning
    line = warning.partition('Add to the rules: "follow": ')[2]
    follow, _ = json.JSONDecoder().raw_decode(line)
    assert list(follow) == [f"public.notes.{name}" for name in HOLD_SUBS]
    assert not any(production_sub(number) in warning for number in range(1, 151))
    assert "@" not in warning
    assert FollowRules.parse(follow).followed == {FOLLOWED}
    assert sync(pair, rules=rules(follow=follow)).warnings == ()


def test_a_sync_in_parts_says_so_once(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "processes", ThreadPoolExecutor)  # which start faster
    divisions: list[Division] = []

    def divide(*given: Any) -> Division:
        divisions.append(dividing.divide(*given))
        return divisions[-1]

    monkeypatch.setattr(jobs, "divide", divide)
    pair = databases.pair(
        f"{USERS} CREATE TABLE log (id int PRIMARY KEY, by text, text text)",
        f"{insert_users(9)} INSERT INTO log SELECT i, {sub_of('1 + i % 9')}, md5(i::text)"
        " FROM generate_series(1, 90) i",
    )
    slow = replace(SLOW, part_seconds=1, whole_seconds=1)
    options = SyncOptions("test", rules(), tuning=slow)

    result = jobs.sync_in_parts(pair.source.address, pair.target.address, options, 1)

    (warning,) = result.warnings
    assert "public.log.by (9 of 9 sampled values)" in warning
    assert len(divisions[0].parts) > 1


def test_a_warning_names_as_many_of_hundreds_of_columns_as_fit() -> None:
    columns = [
        Unnamed(
            TableColumn(FOLLOWED.table._replace(name=f"table_{number}"), "owner_sub"),
            FOLLOWED,
            9,
            8,
        )
        for number in range(300)
    ]

    (warning,) = map(str, notices_of(Found(columns)))

    assert len(warning) < 1_800
    assert "public.table_0.owner_sub (8 of 9 sampled values), public.table_1.owner" in warning
    assert warning.endswith("more columns hold subs: db-sync mask-plan shows them all.")

"""Columns that hold subs follow their people: compared, written and left alone by person."""

import pytest

from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.faults import once_compared
from tests.integration.db_sync.following import (
    SUB,
    USERS,
    WISHLISTS,
    assert_followed,
    insert_rows,
    insert_users,
    production_sub,
    remap,
    rules,
    staging_sub,
    sub_of,
    sync_twice,
)
from tests.integration.db_sync.parts import sync_divided
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases, Pair

CARDS = """
CREATE TABLE cards (
    id int PRIMARY KEY, owner_sub text REFERENCES users (cognito_sub) {action}, number text
);
"""


def wishlists(
    databases: Databases, *, people: int = 20, rows: int = 60, type_: str = "text"
) -> Pair:
    """Return a staging after its first sync and remap, in which half of the people have a sub."""
    schema = USERS + WISHLISTS.format(type=type_)
    content = insert_users(people) + insert_rows("wishlists", people, rows, type_)
    pair = databases.pair(schema, content, content)
    remap(pair, range(1, people // 2), "wishlists.owner_sub")
    return pair


@pytest.mark.parametrize("rows", [60, 5000])
@pytest.mark.parametrize("type_", ["text", "varchar(36)", "uuid", "char(36)"])
def test_a_night_in_which_nothing_changed_is_unchanged(
    databases: Databases, type_: str, rows: int
) -> None:
    pair = wishlists(databases, type_=type_, rows=rows)
    before = pair.target.contents()

    result = sync(pair, rules=rules("wishlists.owner_sub"))

    assert result.status == "unchanged"
    assert pair.target.contents() == before


@pytest.mark.parametrize("rows", [60, 5000])
@pytest.mark.parametrize("type_", ["text", "uuid"])
def test_rows_that_are_copied_get_the_sub_of_their_person_in_staging(
    databases: Databases, type_: str, rows: int
) -> None:
    pair = wishlists(databases, type_=type_, rows=rows)
    pair.source.execute(
        f"""
        UPDATE wishlists SET title = 'new' WHERE id IN (5, 17);
        UPDATE wishlists SET owner_sub = '{production_sub(3)}' WHERE id = 18;
        INSERT INTO wishlists VALUES (9001, '{production_sub(2)}', 'of one who has a sub'),
            (9002, '{production_sub(15)}', 'of one who has none'), (9003, NULL, 'of nobody'),
            (9004, '{production_sub(7777)}', 'of somebody unknown');
        DELETE FROM wishlists WHERE id = 20;
        """
    )

    result = sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    (table,) = (each for each in result.tables if each.table == "public.wishlists")
    assert (table.rows_inserted, table.rows_updated, table.rows_deleted) == (4, 3, 1)
    ((sub,),) = pair.target.rows("SELECT owner_sub::text FROM wishlists WHERE id = 9001")
    assert sub == staging_sub(2)


@pytest.mark.parametrize("rows", [60, 5000])
def test_rows_of_people_who_become_others_lose_the_staging_sub_with_them(
    databases: Databases, rows: int
) -> None:
    pair = wishlists(databases, rows=rows)
    pair.source.execute("UPDATE users SET email = 'else@shop.example' WHERE id = 3")

    sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    assert not pair.target.rows(f"SELECT FROM wishlists WHERE owner_sub = '{staging_sub(3)}'")


def test_rows_of_people_who_are_gone_have_what_production_has(databases: Databases) -> None:
    pair = wishlists(databases)
    pair.source.execute("DELETE FROM users WHERE id = 3; UPDATE users SET id = 104 WHERE id = 4")

    sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    subs = {sub for (sub,) in pair.target.rows("SELECT owner_sub FROM wishlists")}
    assert {production_sub(3), production_sub(4)} <= subs
    assert subs.isdisjoint({staging_sub(3), staging_sub(4)})


@pytest.mark.parametrize("constraint", ["UNIQUE", ""])
def test_the_rows_of_somebody_whose_sub_production_gave_to_another_stay_theirs(
    databases: Databases, constraint: str
) -> None:
    pair = wishlists(databases)
    for database in pair:
        database.execute("ALTER TABLE users DROP CONSTRAINT users_cognito_sub_key")
        if constraint:
            database.execute(f"ALTER TABLE users ADD {constraint} (cognito_sub)")
    # 15 has no sub in staging, and so production's, which 16 gets there, as another person.
    pair.source.execute(
        f"""
        UPDATE users SET cognito_sub = 'new' WHERE id = 15;
        UPDATE users SET cognito_sub = '{production_sub(15)}', email = 'x@y.example' WHERE id = 16;
        UPDATE wishlists SET owner_sub = 'new' WHERE owner_sub = '{production_sub(15)}' AND id > 20;
        """
    )

    sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    ((sub,),) = pair.target.rows("SELECT cognito_sub FROM users WHERE id = 15")
    assert sub.startswith("unlinked:")
    assert pair.target.rows(f"SELECT count(*) FROM wishlists WHERE owner_sub = '{sub}'") == [(2,)]


ACTIONS = (
    "",
    "ON UPDATE CASCADE ON DELETE CASCADE",
    "ON UPDATE RESTRICT",
    "ON UPDATE SET NULL",
    "DEFERRABLE INITIALLY DEFERRED",
)


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_column_that_refers_to_the_sub_follows_without_a_rule(
    databases: Databases, action: str, role: str
) -> None:
    content = insert_users(20) + insert_rows("cards", people=20, rows=60)
    pair = databases.pair(USERS + CARDS.format(action=action), content, content)
    remap(pair, range(1, 10), "cards.owner_sub")
    target = own_tables(pair, "table_owner") if role == "owner" else None
    assert sync(pair, rules=rules(), target=target).status == "unchanged"
    pair.source.execute(
        """
        UPDATE cards SET number = 'lost' WHERE id < 10;
        UPDATE users SET email = 'renamed@shop.example' WHERE id = 2;
        UPDATE users SET email = 'renamed15@shop.example', cognito_sub = cognito_sub WHERE id = 15;
        INSERT INTO users VALUES (21, 'new@shop.example', 'sub of 21');
        INSERT INTO cards VALUES (61, 'sub of 21', 'of a new one');
        DELETE FROM cards WHERE id = 12;
        """
    )

    foreseen = sync(pair, rules=rules(), target=target, dry_run=True).output()
    result = sync(pair, rules=rules(), target=target).output()

    assert_followed(pair, "cards.owner_sub")
    counts = ("rows_inserted", "rows_updated", "rows_deleted")
    assert [result[each] for each in counts] == [foreseen[each] for each in counts]
    assert sync(pair, rules=rules(), target=target).status == "unchanged"


def test_arrays_and_json_follow_as_far_as_the_rule_names_them(databases: Databases) -> None:
    schema = USERS + (
        "CREATE TABLE teams (id int PRIMARY KEY, members uuid[], names varchar(40)[], doc jsonb);"
    )
    teams = """
        INSERT INTO teams SELECT i, ARRAY[p, q]::uuid[], ARRAY[q, 'x', p], jsonb_build_object(
            'owner', p, 'members', jsonb_build_array(jsonb_build_object('sub', q), 1), 'note', p)
        FROM (
            SELECT i, {} AS p, {} AS q FROM generate_series(1, {}) i
        ) AS subs;
    """
    content = insert_users(20) + teams.format(sub_of("1 + i % 20"), sub_of("1 + i % 7"), 3000)
    pair = databases.pair(schema, content, insert_users(20))
    remap(pair, range(1, 10))
    paths = {"column": SUB, "paths": ["$.owner", "$.members[*].sub"]}
    following = rules("teams.members", "teams.names", **{"teams.doc": paths})
    query = "SELECT members::text, names::text, doc::text FROM teams WHERE id = {}"

    sync(pair, rules=following)

    one, two = staging_sub(3), staging_sub(8)
    assert pair.target.rows(query.format(7)) == [
        (
            f"{{{two},{staging_sub(1)}}}",
            f"{{{staging_sub(1)},x,{two}}}",
            f'{{"note": "{production_sub(8)}", "owner": "{two}", "members":'
            f' [{{"sub": "{staging_sub(1)}"}}, 1]}}',
        )
    ]
    assert sync(pair, rules=following).status == "unchanged"
    pair.source.execute("UPDATE teams SET members = members[1:1] WHERE id = 2")
    assert sync(pair, rules=following).output()["rows_updated"] == 1
    assert pair.target.rows("SELECT members::text FROM teams WHERE id = 2") == [(f"{{{one}}}",)]
    assert sync(pair, rules=following).status == "unchanged"


@pytest.mark.parametrize("rows", [60, 5000])
@pytest.mark.parametrize("night", ["", "UPDATE wishlists SET title = 'new' WHERE id = 30"])
def test_a_sub_that_somebody_changes_after_the_comparison_is_followed(
    databases: Databases, night: str, rows: int
) -> None:
    pair = wishlists(databases, rows=rows)
    pair.source.execute(f"UPDATE users SET email = 'x@y.example' WHERE id = 2; {night}")

    def remap_late() -> None:
        remap(pair, [17], "wishlists.owner_sub")

    options = SyncOptions("test", rules("wishlists.owner_sub"), progress=once_compared(remap_late))
    result = sync_database(pair.source.address, pair.target.address, options)

    assert result.verified
    assert_followed(pair, "wishlists.owner_sub")
    assert pair.target.rows(f"SELECT FROM wishlists WHERE owner_sub = '{staging_sub(17)}'")
    assert sync(pair, rules=rules("wishlists.owner_sub")).status == "unchanged"


def test_a_table_that_is_copied_whole_has_staging_s_subs_before_its_constraints_are_checked(
    databases: Databases,
) -> None:
    schema = USERS + "CREATE TABLE wishlists (id int GENERATED ALWAYS AS IDENTITY, owner_sub text);"
    content = (
        insert_users(20)
        + f"""
        INSERT INTO wishlists (owner_sub) SELECT {sub_of("1 + i % 20")}
        FROM generate_series(1, 3000) i;
    """
    )
    unique = "CREATE UNIQUE INDEX ON wishlists (owner_sub, id) WHERE owner_sub > '5'"
    pair = databases.pair(schema, content, insert_users(20))
    pair.target.execute(unique)
    remap(pair, range(1, 10))

    result = sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    (table,) = (each for each in result.tables if each.table == "public.wishlists")
    assert (table.action, table.rows_inserted) == ("copy", 3000)


def test_a_value_that_is_nobody_s_in_production_is_nobody_s_in_staging(
    databases: Databases,
) -> None:
    pair = wishlists(databases)
    pair.source.execute(f"INSERT INTO wishlists VALUES (99, '{staging_sub(3)}', 'nobody''s')")

    sync(pair, rules=rules("wishlists.owner_sub"))

    ((sub,),) = pair.target.rows("SELECT owner_sub FROM wishlists WHERE id = 99")
    assert sub not in {sub for (sub,) in pair.target.rows("SELECT cognito_sub FROM users")}
    assert sync(pair, rules=rules("wishlists.owner_sub")).status == "unchanged"


def test_followers_are_synced_in_parts_too(databases: Databases) -> None:
    pair = wishlists(databases, people=200, rows=9000)
    remap(pair, range(1, 100), "wishlists.owner_sub")
    pair.source.execute(
        "UPDATE wishlists SET title = 'new' WHERE id % 3 = 0;"
        "UPDATE users SET email = 'renamed' || id || '@x.example' WHERE id < 5;"
        "ANALYZE"
    )

    result = sync_divided(pair, rules=rules("wishlists.owner_sub"))

    assert not result.atomic
    assert_followed(pair, "wishlists.owner_sub")
    assert sync(pair, rules=rules("wishlists.owner_sub")).status == "unchanged"


@pytest.mark.parametrize("rows", [60, 5000])
def test_a_row_that_still_has_production_s_sub_of_somebody_who_has_another_in_staging_is_corrected(
    databases: Databases, rows: int
) -> None:
    pair = wishlists(databases, rows=rows)
    pair.target.execute(f"UPDATE wishlists SET owner_sub = '{production_sub(3)}' WHERE id = 22")

    result = sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    assert result.output()["rows_updated"] == 1


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("rows", [20, 5000])
def test_somebody_who_logs_in_to_production_for_the_first_time_gets_that_sub_in_staging_too(
    databases: Databases, rows: int, role: str
) -> None:
    without = "UPDATE users SET cognito_sub = NULL WHERE id IN (3, 7, 15);"
    content = insert_users(rows) + without
    pair = databases.pair(USERS + CARDS.format(action=""), content, content)
    remap(pair, [1, 2])
    # 7 has an account in staging alone.
    pair.target.execute(f"UPDATE users SET cognito_sub = '{staging_sub(7)}' WHERE id = 7")
    target = own_tables(pair, "table_owner") if role == "owner" else None
    pair.source.execute(
        f"""
        UPDATE users SET cognito_sub = '{production_sub(3)}' WHERE id = 3;
        INSERT INTO cards VALUES (1, '{production_sub(3)}', 'new'), (2, '{production_sub(1)}', '');
        """
    )

    foreseen = sync(pair, rules=rules(), target=target, dry_run=True).output()
    result = sync(pair, rules=rules(), target=target).output()

    assert (result["rows_updated"], result["rows_inserted"]) == (1, 2)
    assert (foreseen["rows_updated"], foreseen["rows_inserted"]) == (1, 2)
    assert_followed(pair, "cards.owner_sub")
    users = pair.target.rows("SELECT cognito_sub FROM users WHERE id IN (3, 7, 15) ORDER BY id")
    assert users == [(production_sub(3),), (staging_sub(7),), (None,)]
    assert sync(pair, rules=rules(), target=target).status == "unchanged"


def test_who_lacks_a_sub_gets_production_s_though_another_row_of_staging_still_has_it(
    databases: Databases,
) -> None:
    pair = wishlists(databases)
    pair.target.execute(
        f"""
        UPDATE users SET cognito_sub = NULL WHERE id = 15;
        UPDATE users SET cognito_sub = '{production_sub(15)}' WHERE id = 16;
        """
    )

    sync_twice(pair, rules("wishlists.owner_sub"), "wishlists.owner_sub")

    ((one,), (other,)) = pair.target.rows(
        "SELECT cognito_sub FROM users WHERE id IN (15, 16) ORDER BY id"
    )
    assert one == production_sub(15)
    assert other.startswith("unlinked:")

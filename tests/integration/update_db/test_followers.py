"""UpdateDb: columns that hold a sub follow their person, whatever refers to what."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.update_db.conftest import MakeStaging, UseFollow
from tests.integration.update_db.remapping import REPORT, USERS, PoolUser
from tests.support.bucket import BUCKET

SUB = "public.users.cognito_sub"
# u2 has no user in the pool, unless a test says so.
ROWS = """
INSERT INTO users
VALUES (0, NULL, 's-0'), (1, 'u1@example.com', 'p-1'), (2, 'u2@example.com', 'p-2');
"""
ORDERED = ROWS + "INSERT INTO orders VALUES (1, 'p-1'), (1, 'p-1'), (2, 'p-2'), (3, NULL), (4, 'x')"
FIRST = PoolUser("u1@example.com", "s-1")
# u1 gets the sub that u2 holds, who loses it.
SECONDS = PoolUser("u1@example.com", "p-2")
NAMED = {"public.orders.sub": SUB}
ORDERS = USERS + ";CREATE TABLE orders (buyer int, sub text)"
BUYERS = "SELECT buyer, id FROM orders LEFT JOIN users ON cognito_sub = sub ORDER BY buyer"
SAME_BUYERS = [(1, 1), (1, 1), (2, 2), (3, None), (4, None)]


def test_a_column_that_a_rule_names_follows_and_a_second_run_writes_nothing(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow(NAMED)
    staging = make_staging(ORDERED, ORDERS)

    first = staging.remap(FIRST)
    versions = staging.database.rows("SELECT ctid, xmin FROM orders ORDER BY ctid")
    second = staging.remap(FIRST)

    assert first.output["followers"] == {"public.orders.sub": 2}
    assert staging.database.rows("SELECT * FROM orders ORDER BY 1") == [
        (1, "s-1"),
        (1, "s-1"),
        (2, "p-2"),
        (3, None),
        (4, "x"),
    ]
    assert second.output["followers"] == {"public.orders.sub": 0}
    assert staging.database.rows("SELECT ctid, xmin FROM orders ORDER BY ctid") == versions


def test_a_dry_run_counts_what_would_follow_and_writes_nothing(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow(NAMED)
    staging = make_staging(ORDERED, ORDERS)
    before = staging.database.contents()

    result = staging.remap(SECONDS, dry_run=True)

    assert result.output["followers"] == {"public.orders.sub": 3}
    assert result.lines[-1] == ("", "follower", "", "", "public.orders.sub: 3 rows")
    assert staging.database.contents() == before


def test_without_the_rule_nothing_follows_that_no_key_shows(make_staging: MakeStaging) -> None:
    staging = make_staging(ORDERED, ORDERS)

    assert staging.remap(FIRST).output["followers"] == {}
    assert (1, "p-1") in staging.database.rows("SELECT * FROM orders")


@pytest.mark.parametrize("required", ["", " NOT NULL"])
def test_people_keep_their_rows_though_they_exchange_subs_or_lose_one(
    make_staging: MakeStaging, use_follow: UseFollow, required: str
) -> None:
    use_follow(NAMED)
    schema = f"{ORDERS}; ALTER TABLE users ALTER cognito_sub SET{required or ' DEFAULT NULL'}"
    staging = make_staging(ORDERED, schema)

    exchanged = staging.remap(SECONDS, PoolUser("u2@example.com", "p-1"))
    assert staging.database.rows(BUYERS) == SAME_BUYERS
    taken = staging.remap(PoolUser("u1@example.com", "p-1"))

    assert exchanged.output["followers"] == {"public.orders.sub": 3}
    assert taken.counts == {"updated": 1, "unlinked": 1, "skipped_no_cognito_user": 1}
    assert staging.subs()[2].startswith("unlinked:")
    assert staging.database.rows(BUYERS) == SAME_BUYERS


def test_exchanged_subs_pass_each_other_under_a_unique_constraint(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow({"public.profiles.sub": SUB})
    schema = f"{USERS}; CREATE TABLE profiles (sub text, book int, id int, PRIMARY KEY (sub, book))"
    rows = f"{ROWS}; INSERT INTO profiles VALUES ('p-1', 7, 1), ('p-2', 7, 2)"
    staging = make_staging(rows, schema)

    staging.remap(SECONDS, PoolUser("u2@example.com", "p-1"))

    found = staging.database.rows("SELECT id, sub FROM profiles ORDER BY id")
    assert found == [(1, "p-2"), (2, "p-1")]


UUIDS = [f"{number}0000000-0000-4000-8000-000000000000" for number in range(4)]
TYPES = f"""
CREATE DOMAIN sub AS text CHECK (length(value) = 36);
CREATE TABLE users (id int, email text, cognito_sub text);
CREATE TABLE held (
    typed uuid, own sub, texts varchar(36)[], uuids uuid[], doc jsonb, note text
);
INSERT INTO users VALUES (1, 'u1@example.com', '{UUIDS[1]}'), (2, 'u2@example.com', '{UUIDS[2]}');
INSERT INTO held VALUES (
    '{UUIDS[1]}', '{UUIDS[1]}', '{{{UUIDS[1]},{UUIDS[2]}}}', '{{{UUIDS[2]},{UUIDS[1]},NULL}}',
    '{{"members": [{{"sub": "{UUIDS[1]}"}}, {{"sub": "{UUIDS[2]}"}}], "by": "{UUIDS[1]}"}}',
    '{UUIDS[1]}'
)
"""


def test_a_sub_follows_as_a_uuid_and_in_domains_arrays_and_jsonb(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    paths = {"column": SUB, "paths": ["$.members[*].sub", "$.by"]}
    others = {f"public.held.{column}": SUB for column in ("typed", "own", "texts", "uuids")}
    use_follow({**others, "public.held.doc": paths})
    staging = make_staging("", TYPES)

    # u2 loses the sub to u1: a random one in its place, which a uuid can hold too.
    result = staging.remap(PoolUser("u1@example.com", UUIDS[2]))

    lost = staging.subs()[2]
    assert lost not in UUIDS
    assert len(lost) == 36
    query = "SELECT typed::text, own, texts, uuids::text[], doc, note FROM held"
    assert staging.database.rows(query) == [
        (
            UUIDS[2],
            UUIDS[2],
            [UUIDS[2], lost],
            [lost, UUIDS[2], None],
            {"members": [{"sub": UUIDS[2]}, {"sub": lost}], "by": UUIDS[2]},
            UUIDS[1],
        )
    ]
    assert result.output["followers"] == {
        f"public.held.{column}": 1 for column in ("doc", "own", "texts", "typed", "uuids")
    }


def test_rows_of_a_sub_that_several_users_have_are_nobodys_and_refused(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow(NAMED)
    schema = "CREATE TABLE users (id int, email text, cognito_sub text);" + ORDERS.split(";")[1]
    staging = make_staging(f"{ORDERED}; UPDATE users SET cognito_sub = 'p-1' WHERE id = 2", schema)

    with pytest.raises(SchemaMismatch, match=r"follow: 2 subs in public\.orders\.sub") as refused:
        staging.remap(FIRST)

    assert f"s3://{BUCKET}/{REPORT}" in str(refused.value)
    assert staging.subs()[1] == "p-1"
    assert [line.old_sub for line in staging.report()].count("p-1") == 2


def test_rows_of_a_sub_stay_with_its_owner_if_somebody_else_had_it_too(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow(NAMED)
    schema = "CREATE TABLE users (id int, email text, cognito_sub text);" + ORDERS.split(";")[1]
    staging = make_staging(f"{ORDERED}; UPDATE users SET cognito_sub = 'p-1' WHERE id = 2", schema)

    result = staging.remap(PoolUser("u1@example.com", "p-1"))

    assert result.counts == {"unchanged": 1, "unlinked": 1, "skipped_no_cognito_user": 1}
    assert result.output["followers"] == {"public.orders.sub": 0}
    assert (1, "p-1") in staging.database.rows("SELECT * FROM orders")


def test_an_empty_text_that_several_users_have_is_no_sub(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow(NAMED)
    schema = "CREATE TABLE users (id int, email text, cognito_sub text);" + ORDERS.split(";")[1]
    staging = make_staging(f"{ROWS} UPDATE users SET cognito_sub = ''", schema)
    staging.database.execute("INSERT INTO orders VALUES (9, '')")

    assert staging.remap(FIRST).output["followers"] == {"public.orders.sub": 0}
    assert staging.subs() == {0: "", 1: "s-1", 2: ""}
    assert staging.database.rows("SELECT * FROM orders") == [(9, "")]


def test_a_partitioned_table_follows(make_staging: MakeStaging, use_follow: UseFollow) -> None:
    use_follow(NAMED)
    schema = f"""{USERS};
    CREATE TABLE orders (buyer int, sub text) PARTITION BY LIST (sub);
    CREATE TABLE orders_p PARTITION OF orders FOR VALUES IN ('p-1', 'p-2');
    CREATE TABLE orders_others PARTITION OF orders DEFAULT;
    """
    staging = make_staging(ORDERED, schema)

    staging.remap(FIRST)

    assert staging.database.rows(BUYERS) == SAME_BUYERS
    assert staging.database.rows("SELECT * FROM orders_p") == [(2, "p-2")]


def test_names_that_must_be_quoted_are(make_staging: MakeStaging, use_follow: UseFollow) -> None:
    use_follow({'public."wün.sche"."Wem?"': SUB})
    schema = f'{USERS};CREATE TABLE "wün.sche" ("Wem?" text)'
    staging = make_staging(ROWS + "INSERT INTO \"wün.sche\" VALUES ('p-1')", schema)

    assert staging.remap(FIRST).output["followers"] == {"public.wün.sche.Wem?": 1}

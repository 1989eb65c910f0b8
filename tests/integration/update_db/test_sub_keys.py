"""UpdateDb: what refers to a sub by a foreign key follows it, or the remap is refused."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import REPORT, USERS, PoolUser, Staging
from tests.support.bucket import BUCKET
from tests.support.databases import Databases

ORDERS = (
    USERS
    + ";CREATE TABLE orders (buyer int, sub text DEFAULT 's-0' REFERENCES users (cognito_sub) {})"
)
# Of u1, whose sub changes; u2 has no user in the pool and keeps theirs.
ROWS = """
INSERT INTO users
VALUES (0, NULL, 's-0'), (1, 'u1@example.com', 'p-1'), (2, 'u2@example.com', 'p-2');
"""
ORDERED = ROWS + "INSERT INTO orders VALUES (1, 'p-1'), (1, 'p-1'), (2, 'p-2'), (3, NULL);"
FIRST = PoolUser("u1@example.com", "s-1")
# u1 gets the sub that u2 holds, who has nobody in the pool and loses it.
SECONDS = PoolUser("u1@example.com", "p-2")
OTHER_ACTIONS = (
    "",
    "ON UPDATE RESTRICT",
    "DEFERRABLE INITIALLY DEFERRED",
    "ON UPDATE SET NULL",
    "ON UPDATE SET DEFAULT",
)


def refusal(staging: Staging, *users: PoolUser, **flags: bool) -> str:
    """Return why a remap is refused; nothing is written by it."""
    before = staging.database.contents()

    with pytest.raises(SchemaMismatch) as refused:
        staging.remap(*users, **flags)

    assert staging.database.contents() == before
    message = str(refused.value)
    for personal in ("example.com", "p-1", "p-2", "s-1"):
        assert personal not in message.replace(BUCKET, "")
    return message


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("action", OTHER_ACTIONS)
def test_rows_that_would_lose_their_person_are_told_before_anything_is_written(
    make_staging: MakeStaging, action: str, dry_run: bool
) -> None:
    staging = make_staging(ORDERED, ORDERS.format(action))

    message = refusal(staging, FIRST, dry_run=dry_run)

    told = action if "UPDATE" in action else "ON UPDATE NO ACTION"
    assert f"2 rows of public.orders, by the foreign key orders_sub_fkey ({told})" in message
    assert "Give the key ON UPDATE CASCADE" in message


@pytest.mark.parametrize("action", OTHER_ACTIONS)
def test_a_key_that_no_row_is_lost_by_is_no_reason_to_refuse(
    make_staging: MakeStaging, action: str
) -> None:
    staging = make_staging(ROWS + "INSERT INTO orders VALUES (2, 'p-2')", ORDERS.format(action))

    result = staging.remap(FIRST)

    assert result.counts == {"updated": 1, "skipped_no_cognito_user": 2}
    assert staging.subs() == {0: "s-0", 1: "s-1", 2: "p-2"}
    assert staging.database.rows("SELECT * FROM orders") == [(2, "p-2")]


def test_people_who_change_places_do_not_hand_their_rows_to_each_other(
    make_staging: MakeStaging,
) -> None:
    staging = make_staging(ORDERED, ORDERS.format("DEFERRABLE INITIALLY DEFERRED"))

    message = refusal(staging, SECONDS, PoolUser("u2@example.com", "p-1"))

    assert "3 rows of public.orders, by the foreign key orders_sub_fkey" in message


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_refers_to_somebody_who_loses_the_sub_would_lose_its_person_too(
    make_staging: MakeStaging, dry_run: bool
) -> None:
    staging = make_staging(ORDERED, ORDERS.format("ON UPDATE CASCADE"))

    message = refusal(staging, SECONDS, dry_run=dry_run)

    assert "1 rows of public.orders, by the foreign key orders_sub_fkey (ON UPDATE CASCADE)" in (
        message
    )
    assert f"s3://{BUCKET}/{REPORT} names the users" in message


def test_the_report_of_a_refused_remap_says_who_is_meant(make_staging: MakeStaging) -> None:
    staging = make_staging(ORDERED, ORDERS.format("ON UPDATE CASCADE"))

    refusal(staging, SECONDS)

    assert ("u2@example.com", "unlinked") in [
        (line.email, line.status) for line in staging.report()
    ]


def test_what_refers_to_somebody_who_gets_a_value_of_their_own_still_finds_them(
    make_staging: MakeStaging,
) -> None:
    schema = f"""
    {ORDERS.format("ON UPDATE CASCADE")};
    ALTER TABLE users ALTER cognito_sub SET NOT NULL
    """
    staging = make_staging(ORDERED, schema)

    result = staging.remap(SECONDS)

    assert result.counts == {"updated": 1, "unlinked": 1, "skipped_no_cognito_user": 1}
    joined = "SELECT buyer, id FROM orders JOIN users ON cognito_sub = sub ORDER BY buyer"
    assert staging.database.rows(joined) == [(1, 1), (1, 1), (2, 2)]


CHAIN = """
CREATE TABLE profiles (
    id int, sub text UNIQUE REFERENCES users (cognito_sub) ON UPDATE CASCADE
);
CREATE TABLE photos (id int, owner text REFERENCES profiles (sub) {});
"""
CHAINED = (
    ROWS + "INSERT INTO profiles VALUES (1, 'p-1'), (2, 'p-2');"
    "INSERT INTO photos VALUES (1, 'p-1'), (2, 'p-2')"
)


@pytest.mark.parametrize("action", ["ON UPDATE SET NULL", "ON UPDATE NO ACTION"])
def test_the_end_of_a_chain_of_keys_is_looked_at_too(
    make_staging: MakeStaging, action: str
) -> None:
    staging = make_staging(CHAINED, USERS + ";" + CHAIN.format(action))

    message = refusal(staging, FIRST)

    assert f"1 rows of public.photos, by the foreign key photos_owner_fkey ({action})" in message
    assert "profiles" not in message


def test_an_unlinked_person_is_lost_at_every_link_of_a_chain(make_staging: MakeStaging) -> None:
    staging = make_staging(CHAINED, USERS + ";" + CHAIN.format("ON UPDATE CASCADE"))

    message = refusal(staging, SECONDS)

    assert "1 rows of public.profiles, by the foreign key profiles_sub_fkey" in message
    assert "1 rows of public.photos, by the foreign key photos_owner_fkey" in message


def test_a_chain_that_cascades_follows_to_its_end(make_staging: MakeStaging) -> None:
    staging = make_staging(CHAINED, USERS + ";" + CHAIN.format("ON UPDATE CASCADE"))

    staging.remap(FIRST)

    assert staging.database.rows("SELECT * FROM photos ORDER BY id") == [(1, "s-1"), (2, "p-2")]


def test_a_chain_that_ends_where_it_began_is_walked_once(make_staging: MakeStaging) -> None:
    schema = f"""{USERS};
    ALTER TABLE users ADD boss_sub text UNIQUE REFERENCES users (cognito_sub) ON UPDATE CASCADE;
    CREATE TABLE desks (sub text REFERENCES users (boss_sub) ON UPDATE SET NULL);
    """
    staging = make_staging(
        ROWS + "UPDATE users SET boss_sub = 'p-1' WHERE id = 2; INSERT INTO desks VALUES ('p-1')",
        schema,
    )

    message = refusal(staging, FIRST)

    assert "1 rows of public.desks, by the foreign key desks_sub_fkey" in message


def test_a_reference_within_the_users_table_follows(make_staging: MakeStaging) -> None:
    schema = f"""{USERS};
    ALTER TABLE users ADD boss_sub text REFERENCES users (cognito_sub) ON UPDATE CASCADE;
    """
    staging = make_staging(ROWS + "UPDATE users SET boss_sub = 'p-1'", schema)

    staging.remap(FIRST, PoolUser("u2@example.com", "s-2"))

    assert staging.subs() == {0: "s-0", 1: "s-1", 2: "s-2"}
    assert staging.database.rows("SELECT DISTINCT boss_sub FROM users") == [("s-1",)]


TENANTS = """
CREATE TABLE users (
    id int, email text, cognito_sub text, tenant int, UNIQUE (tenant, cognito_sub)
) PARTITION BY LIST (tenant);
CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1);
CREATE TABLE users_2 PARTITION OF users FOR VALUES IN (2);
CREATE TABLE orders (
    tenant int, sub text,
    FOREIGN KEY (sub, tenant) REFERENCES {} (cognito_sub, tenant) MATCH FULL ON UPDATE SET NULL
) PARTITION BY LIST (tenant);
CREATE TABLE orders_0 PARTITION OF orders DEFAULT;
"""


@pytest.mark.parametrize("parent", ["users", "users_1"])
def test_a_key_of_several_columns_and_of_partitions_is_understood(
    make_staging: MakeStaging, parent: str
) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'u1@example.com', 'p-1', 1), (2, 'u2@example.com', 'p-2', 2);"
        "INSERT INTO orders VALUES (1, 'p-1'), (NULL, NULL)",
        TENANTS.format(parent),
    )

    message = refusal(staging, FIRST, PoolUser("u2@example.com", "s-2"))

    assert "1 rows of public.orders, by the foreign key orders_sub_tenant_fkey" in message


def test_a_key_to_other_columns_of_the_users_is_left_alone(make_staging: MakeStaging) -> None:
    schema = f"""{USERS};
    CREATE TABLE orders (buyer int REFERENCES users ON UPDATE SET NULL);
    """
    staging = make_staging(ROWS + "INSERT INTO orders VALUES (1)", schema)

    assert staging.remap(FIRST).counts["updated"] == 1


def test_a_key_under_another_collation_is_understood(
    make_staging: MakeStaging, system_databases: Databases
) -> None:
    schema = f"""{USERS};
    CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE orders (
        sub varchar(40) COLLATE "C" REFERENCES users (cognito_sub) ON UPDATE SET NULL
    );
    """
    staging = make_staging(ROWS + "INSERT INTO orders VALUES ('p-1')", schema, on=system_databases)

    assert "1 rows of public.orders" in refusal(staging, FIRST)

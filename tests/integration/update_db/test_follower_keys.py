"""UpdateDb: rows that refer to users by foreign keys follow, and the keys are as they were."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.update_db.conftest import MakeStaging, UseFollow
from tests.integration.update_db.remapping import USERS, PoolUser
from tests.support.databases import Databases

ORDERS = (
    USERS
    + ";CREATE TABLE orders (buyer int, sub text DEFAULT 's-0' REFERENCES users (cognito_sub) {})"
)
# u1's sub changes in most tests; u2 has no user in the pool.
ROWS = """
INSERT INTO users
VALUES (0, NULL, 's-0'), (1, 'u1@example.com', 'p-1'), (2, 'u2@example.com', 'p-2');
"""
ORDERED = ROWS + "INSERT INTO orders VALUES (1, 'p-1'), (1, 'p-1'), (2, 'p-2'), (3, NULL);"
FIRST = PoolUser("u1@example.com", "s-1")
# They exchange their subs.
BOTH = (PoolUser("u1@example.com", "p-2"), PoolUser("u2@example.com", "p-1"))
ACTIONS = (
    "",
    "ON UPDATE CASCADE",
    "ON UPDATE RESTRICT",
    "ON UPDATE SET NULL",
    "ON UPDATE SET DEFAULT",
    "DEFERRABLE INITIALLY DEFERRED",
    "NOT VALID",
)
BUYERS = "SELECT buyer, id FROM orders LEFT JOIN users ON cognito_sub = sub ORDER BY buyer"
KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated,
    obj_description(oid, 'pg_constraint')
FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2
"""


def schema_with(action: str) -> str:
    if action != "NOT VALID":
        return ORDERS.format(action)
    add = "ALTER TABLE orders ADD CONSTRAINT own FOREIGN KEY (sub) REFERENCES users (cognito_sub)"
    return f"{USERS}; CREATE TABLE orders (buyer int, sub text); {add} NOT VALID"


@pytest.mark.parametrize("action", ACTIONS)
def test_rows_keep_their_person_whatever_the_key_does_when_a_sub_changes(
    make_staging: MakeStaging, action: str
) -> None:
    staging = make_staging(ORDERED, schema_with(action))
    keys = staging.database.rows(KEYS)

    results = [
        staging.remap(*BOTH),
        staging.remap(PoolUser("u1@example.com", "p-1")),  # u2 loses it
        staging.remap(FIRST),
    ]

    assert [result.output["followers"]["public.orders.sub"] for result in results] == [3, 3, 2]
    assert staging.database.rows(BUYERS) == [(1, 1), (1, 1), (2, 2), (3, None)]
    assert staging.database.rows(KEYS) == keys


def test_a_key_is_created_again_with_its_comment(make_staging: MakeStaging) -> None:
    named = ORDERS.format("MATCH FULL ON DELETE SET NULL DEFERRABLE")
    comment = "COMMENT ON CONSTRAINT orders_sub_fkey ON orders IS 'It''s theirs'"
    staging = make_staging(ORDERED, f"{named}; {comment}")
    keys = staging.database.rows(KEYS)

    staging.remap(FIRST)

    assert keys[0][4] == "It's theirs"
    assert staging.database.rows(KEYS) == keys


def test_an_event_trigger_does_not_fire_when_a_key_is_dropped_and_created(
    make_staging: MakeStaging,
) -> None:
    forbid = """;
    CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
    CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid();
    CREATE EVENT TRIGGER forbid_drops ON sql_drop EXECUTE FUNCTION forbid();
    """
    staging = make_staging(ORDERED, ORDERS.format("") + forbid)

    assert staging.remap(FIRST).output["followers"] == {"public.orders.sub": 2}


def test_keys_that_are_not_enforced_are_left_in_place(make_staging: MakeStaging) -> None:
    with_key = ORDERS.format("NOT ENFORCED")
    oid = "SELECT oid FROM pg_constraint WHERE contype = 'f'"
    staging = make_staging(ORDERED, with_key)
    before = staging.database.value(oid)

    staging.remap(*BOTH)

    assert staging.database.rows(BUYERS) == [(1, 1), (1, 1), (2, 2), (3, None)]
    assert staging.database.value(oid) == before


CHAIN = f"""{USERS};
CREATE TABLE profiles (id int, sub text UNIQUE REFERENCES users (cognito_sub));
CREATE TABLE photos (
    id int, owner text REFERENCES profiles (sub) ON UPDATE SET NULL, boss text
);
ALTER TABLE users ADD boss_sub text UNIQUE REFERENCES users (cognito_sub) ON UPDATE SET NULL;
ALTER TABLE photos ADD FOREIGN KEY (boss) REFERENCES users (boss_sub);
"""
CHAINED = f"""{ROWS};
UPDATE users SET boss_sub = CASE id WHEN 1 THEN 'p-2' WHEN 2 THEN 'p-1' END;
INSERT INTO profiles VALUES (1, 'p-1'), (2, 'p-2');
INSERT INTO photos VALUES (1, 'p-1', 'p-2'), (2, 'p-2', 'p-1');
"""


@pytest.mark.parametrize("pool", [BOTH, [FIRST], [PoolUser("u1@example.com", "p-2")]])
def test_chains_of_keys_and_those_within_the_users_table_are_followed(
    make_staging: MakeStaging, pool: list[PoolUser]
) -> None:
    staging = make_staging(CHAINED, CHAIN)

    result = staging.remap(*pool)

    subs = staging.subs()
    assert staging.database.rows("SELECT * FROM profiles ORDER BY id") == [
        (1, subs[1]),
        (2, subs[2]),
    ]
    assert staging.database.rows("SELECT * FROM photos ORDER BY id") == [
        (1, subs[1], subs[2]),
        (2, subs[2], subs[1]),
    ]
    assert staging.database.rows("SELECT id, boss_sub FROM users ORDER BY id") == [
        (0, None),
        (1, subs[2]),
        (2, subs[1]),
    ]
    assert result.output["followers"].keys() == {
        "public.photos.boss",
        "public.photos.owner",
        "public.profiles.sub",
        "public.users.boss_sub",
    }


TENANTS = """
CREATE TABLE users (
    id int, email text, cognito_sub text, tenant int, UNIQUE (tenant, cognito_sub)
) PARTITION BY LIST (tenant);
CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1);
CREATE TABLE users_2 PARTITION OF users FOR VALUES IN (2);
CREATE TABLE orders (tenant int, sub text) PARTITION BY LIST (tenant);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
CREATE TABLE orders_0 PARTITION OF orders DEFAULT;
ALTER TABLE {child} ADD FOREIGN KEY (sub, tenant) REFERENCES {parent} (cognito_sub, tenant)
    MATCH FULL ON UPDATE SET NULL;
"""


@pytest.mark.parametrize("child", ["orders", "orders_1"])
@pytest.mark.parametrize("parent", ["users", "users_1"])
def test_keys_of_several_columns_and_of_partitions_are_understood(
    make_staging: MakeStaging, child: str, parent: str
) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'u1@example.com', 'p-1', 1), (2, 'u2@example.com', 'p-2', 2);"
        "INSERT INTO orders VALUES (1, 'p-1'), (NULL, NULL)",
        TENANTS.format(child=child, parent=parent),
    )
    keys = staging.database.rows(KEYS)

    result = staging.remap(FIRST, PoolUser("u2@example.com", "s-2"))

    assert result.output["followers"] == {"public.orders.sub": 1}
    assert staging.database.rows("SELECT * FROM orders ORDER BY 1") == [(1, "s-1"), (None, None)]
    assert staging.database.rows(KEYS) == keys


def test_users_may_be_a_partition(
    make_staging: MakeStaging, use_follow: UseFollow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_TABLE", "public.users_1")
    use_follow({"public.notes.sub": "public.users_1.cognito_sub"})
    tables = "ALTER TABLE users_1 ADD UNIQUE (cognito_sub); CREATE TABLE notes (sub text);"
    key = "CREATE TABLE cards (sub text REFERENCES users_1 (cognito_sub))"
    schema = TENANTS.format(child="orders", parent="users") + tables + key
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'u1@example.com', 'p-1', 1);"
        "INSERT INTO notes VALUES ('p-1'); INSERT INTO cards VALUES ('p-1')",
        schema,
    )

    followers = staging.remap(FIRST).output["followers"]

    assert followers == {"public.cards.sub": 1, "public.notes.sub": 1, "public.orders.sub": 0}
    assert staging.database.rows("SELECT * FROM notes, cards") == [("s-1", "s-1")]


def test_a_sub_that_is_the_key_of_users_is_followed(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUB_COLUMN", "id")
    schema = """
    CREATE TABLE users (id uuid PRIMARY KEY, email text);
    CREATE TABLE orders (buyer uuid REFERENCES users, n int)
    """
    ours, theirs = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "ab")
    rows = f"INSERT INTO users VALUES ('{ours}', 'u1@example.com');"
    staging = make_staging(f"{rows} INSERT INTO orders VALUES ('{ours}')", schema)

    staging.remap(PoolUser("u1@example.com", theirs))

    assert staging.database.rows("SELECT buyer::text FROM orders") == [(theirs,)]


def test_a_key_to_other_columns_of_the_users_is_left_alone(make_staging: MakeStaging) -> None:
    schema = f"{USERS}; CREATE TABLE orders (buyer int REFERENCES users ON UPDATE SET NULL)"
    staging = make_staging(ROWS + "INSERT INTO orders VALUES (1)", schema)

    assert staging.remap(FIRST).output["followers"] == {}
    assert staging.database.rows("SELECT * FROM orders") == [(1,)]


def test_a_key_under_another_collation_is_followed(
    make_staging: MakeStaging, system_databases: Databases
) -> None:
    schema = f"""{USERS};
    CREATE TABLE orders (
        sub varchar(40) COLLATE "C" REFERENCES users (cognito_sub) ON UPDATE SET NULL
    );
    """
    staging = make_staging(ROWS + "INSERT INTO orders VALUES ('p-1')", schema, on=system_databases)

    staging.remap(FIRST)

    assert staging.database.rows("SELECT * FROM orders") == [("s-1",)]


def test_rows_that_write_a_sub_in_capitals_are_not_cut_off_by_a_key_that_allows_it(
    make_staging: MakeStaging, system_databases: Databases
) -> None:
    schema = """
    CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE users (id int, email text, cognito_sub text COLLATE caseless UNIQUE);
    CREATE TABLE orders (sub text REFERENCES users (cognito_sub) ON UPDATE SET NULL);
    """
    staging = make_staging(ROWS + "INSERT INTO orders VALUES ('P-1')", schema, on=system_databases)

    with pytest.raises(SchemaMismatch, match=r"1 rows of public\.orders by orders_sub_fkey"):
        staging.remap(FIRST)

    assert staging.database.rows("SELECT * FROM orders") == [("P-1",)]


GENERATED = f"""{USERS};
CREATE TABLE orders (
    doc jsonb, sub text GENERATED ALWAYS AS (doc ->> 'by') STORED REFERENCES users (cognito_sub)
)
"""
BY_FIRST = ROWS + """INSERT INTO orders VALUES ('{"by": "p-1"}')"""


def test_a_generated_column_cannot_follow_by_itself(make_staging: MakeStaging) -> None:
    staging = make_staging(BY_FIRST, GENERATED)
    before = staging.database.contents()

    with pytest.raises(
        SchemaMismatch, match=r"1 rows of public\.orders by orders_sub_fkey \(sub\)"
    ):
        staging.remap(FIRST)

    assert staging.database.contents() == before


def test_a_generated_column_follows_what_it_is_generated_from(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow({"public.orders.doc": {"column": "public.users.cognito_sub", "paths": ["$.by"]}})
    staging = make_staging(BY_FIRST, GENERATED)

    assert staging.remap(FIRST).output["followers"] == {"public.orders.doc": 1}
    assert staging.database.rows("SELECT sub FROM orders") == [("s-1",)]

"""Foreign keys to a column of the keep rule: rows that cannot follow are refused with a reason."""

import pytest

from common.errors import SchemaMismatch
from db_sync.result import SyncResult
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text UNIQUE);
CREATE TABLE logins (
    id int PRIMARY KEY, sub text REFERENCES users (cognito_sub) ON UPDATE CASCADE, device text
);
"""
ROWS = """
INSERT INTO users SELECT i, 'u' || i || '@example.com', 'p-' || i FROM generate_series(1, 40) i;
INSERT INTO logins SELECT i, 'p-' || (1 + i % 40), 'phone' FROM generate_series(1, {}) i;
"""
RULES = SyncRules.parse('{"keep": ["public.users.cognito_sub"]}')


def run(pair: Pair, role: str, *, dry_run: bool = False, rules: SyncRules = RULES) -> SyncResult:
    target = own_tables(pair, "table_owner") if role == "owner" else None
    return sync(pair, target=target, rules=rules, dry_run=dry_run)


def after_the_first_night(databases: Databases, logins: int, *, remapped: str = "true") -> Pair:
    """Return a staging that was synced once and then remapped to its own pool."""
    rows = ROWS.format(logins)
    pair = databases.pair(SCHEMA, rows, rows)
    pair.target.execute(f"UPDATE users SET cognito_sub = 's-' || id WHERE {remapped}")
    return pair


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_the_first_sync_copies_both_tables(databases: Databases, role: str) -> None:
    pair = databases.pair(SCHEMA, ROWS.format(100))

    run(pair, role)

    assert_same(pair)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("role", ["owner", "superuser"])
@pytest.mark.parametrize(
    ("logins", "remapped", "broken"),
    [(100, "true", 100), (5000, "true", 5000), (5000, "id = 3", 125)],
    ids=["a small table", "a table that is replaced", "a table that is merged"],
)
def test_the_next_sync_is_refused_because_the_column_is_kept(
    databases: Databases, role: str, logins: int, remapped: str, broken: int, *, dry_run: bool
) -> None:
    pair = after_the_first_night(databases, logins, remapped=remapped)
    before = pair.target.contents()

    with pytest.raises(SchemaMismatch) as refused:
        run(pair, role, dry_run=dry_run)

    assert pair.target.contents() == before
    message = str(refused.value)
    assert f"{broken} rows of public.logins break its foreign key logins_sub_fkey" in message
    assert 'the "keep" rule leaves public.users.cognito_sub to the target' in message
    assert "production's rows are right" in message
    assert "Exclude the table that refers to a kept column" in message


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_every_sync_works_if_the_referring_table_is_excluded(
    databases: Databases, role: str
) -> None:
    pair = after_the_first_night(databases, 100)
    pair.source.execute("UPDATE users SET email = 'new@example.com' WHERE id = 3")
    logins = pair.target.rows("SELECT * FROM logins ORDER BY id")
    exclude = '"exclude": ["public.logins"], "keep": ["public.users.cognito_sub"]'

    run(pair, role, rules=SyncRules.parse("{" + exclude + "}"))

    assert pair.target.rows("SELECT * FROM logins ORDER BY id") == logins
    assert pair.target.value("SELECT cognito_sub FROM users WHERE id = 3") == "s-3"


@pytest.mark.parametrize("role", ["owner", "superuser"])
@pytest.mark.parametrize("remapped", ["id > 21", "false"])
def test_rows_that_refer_to_people_who_were_not_remapped_are_synced(
    databases: Databases, role: str, remapped: str
) -> None:
    pair = after_the_first_night(databases, 20, remapped=remapped)
    pair.source.execute(
        "UPDATE logins SET device = 'tablet' WHERE id < 5;UPDATE logins SET sub = NULL WHERE id = 7"
    )

    run(pair, role)

    logins = "SELECT * FROM logins ORDER BY id"
    assert pair.target.rows(logins) == pair.source.rows(logins)


@pytest.mark.parametrize("role", ["owner", "superuser"])
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_references_stay_when_a_new_row_takes_a_kept_value_from_another(
    databases: Databases, role: str, action: str
) -> None:
    pair = databases.pair(
        SCHEMA.replace("CASCADE", action),
        source="INSERT INTO users VALUES (1, 'a', 'p-1'), (2, 'b', 'p-2');"
        "INSERT INTO logins VALUES (1, 'p-2', 'phone')",
        target="INSERT INTO users VALUES (1, 'a', 'p-2');"
        "INSERT INTO logins VALUES (1, 'p-2', 'phone')",
    )

    run(pair, role)

    assert pair.target.rows("SELECT * FROM logins") == [(1, "p-2", "phone")]
    assert pair.target.rows("SELECT id, cognito_sub FROM users ORDER BY id") == [
        (1, None),
        (2, "p-2"),
    ]


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_kept_column_that_refers_to_a_row_that_production_lacks_is_named(
    databases: Databases, role: str
) -> None:
    schema = """
    CREATE TABLE identities (sub text PRIMARY KEY);
    CREATE TABLE users (id int PRIMARY KEY, cognito_sub text REFERENCES identities);
    """
    pair = databases.pair(
        schema,
        source="INSERT INTO identities VALUES ('p-1'); INSERT INTO users VALUES (1, 'p-1')",
        target="INSERT INTO identities VALUES ('s-1'); INSERT INTO users VALUES (1, 's-1')",
    )

    with pytest.raises(SchemaMismatch) as refused:
        run(pair, role)

    assert "1 rows of public.users break its foreign key users_cognito_sub_fkey" in str(
        refused.value
    )
    assert "leaves public.users.cognito_sub to the target" in str(refused.value)

"""Foreign keys to a column of the keep rule: rows follow, and what cannot is refused."""

import pytest

from common.errors import SchemaMismatch
from common.reports.sync import SyncResult
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


@pytest.mark.parametrize("role", ["owner", "superuser"])
@pytest.mark.parametrize("logins", [100, 5000])
def test_the_next_sync_leaves_rows_that_refer_to_staging_s_own_values(
    databases: Databases, role: str, logins: int
) -> None:
    pair = after_the_first_night(databases, logins)
    before = pair.target.contents()

    assert run(pair, role, dry_run=True).output()["tables_changed"] == 0
    assert run(pair, role).status == "unchanged"

    assert pair.target.contents() == before


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_people_who_have_no_value_in_staging_any_more_get_production_s_with_their_rows(
    databases: Databases, role: str
) -> None:
    pair = after_the_first_night(databases, 100)
    pair.target.execute(
        "SET session_replication_role = replica; UPDATE users SET cognito_sub = NULL WHERE id = 3;"
        "DELETE FROM logins WHERE sub = 's-3'"
    )

    assert run(pair, role, dry_run=True).output()["rows_inserted"] == 3
    assert run(pair, role).output()["rows_inserted"] == 3

    assert pair.target.value("SELECT cognito_sub FROM users WHERE id = 3") == "p-3"
    assert pair.target.value("SELECT count(*) FROM logins WHERE sub = 'p-3'") == 3
    assert run(pair, role).status == "unchanged"


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
    (one, other) = pair.target.rows("SELECT cognito_sub FROM users ORDER BY id")
    assert one[0].startswith("unlinked:")
    assert other == ("p-2",)


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

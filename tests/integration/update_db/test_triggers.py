"""UpdateDb: the users table's triggers and rules fire, and can neither lose nor fake a sub."""

import pytest

from common.errors import StagingSyncError, VerificationFailed
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser

USERS = "CREATE TABLE users (id int, email text, cognito_sub text UNIQUE);"
DEFERRED = "CONSTRAINT TRIGGER audit AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED"
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


def people(*subs: str) -> str:
    """Return the INSERT of u1@example.com, u2@example.com, … with these subs."""
    rows = ", ".join(
        f"({number}, 'u{number}@example.com', '{sub}')" for number, sub in enumerate(subs, 1)
    )
    return f"INSERT INTO users VALUES {rows}"


def test_the_applications_triggers_fire(make_staging: MakeStaging) -> None:
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text, touched bool NOT NULL DEFAULT false);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN NEW.touched := true; RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
    """
    staging = make_staging(people("p-1", "s-2"), schema)

    staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u2@example.com", "s-2"))

    assert staging.database.rows("SELECT touched FROM users ORDER BY id") == [(True,), (False,)]


@pytest.mark.parametrize("timing", ["TRIGGER audit AFTER UPDATE ON users", DEFERRED])
def test_a_trigger_finds_the_tables_of_the_application_by_their_bare_names(
    make_staging: MakeStaging, timing: str
) -> None:
    schema = f"""
    CREATE TABLE users (id int, email text, cognito_sub text);
    CREATE TABLE audit_log (user_id int);
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN INSERT INTO audit_log VALUES (NEW.id); RETURN NULL; END';
    CREATE {timing} FOR EACH ROW EXECUTE FUNCTION audit();
    """
    staging = make_staging(people("p-1", "s-2"), schema)

    staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u2@example.com", "s-2"))

    assert staging.database.rows("SELECT user_id FROM audit_log") == [(1,)]


@pytest.mark.parametrize("swallowed", ["'s-1'", "NULL"])
def test_a_trigger_that_swallows_an_update_is_noticed_and_all_is_rolled_back(
    make_staging: MakeStaging, swallowed: str
) -> None:
    schema = f"""
    CREATE TABLE users (id int, email text, cognito_sub text);
    CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER swallow BEFORE UPDATE ON users FOR EACH ROW
        WHEN (NEW.cognito_sub IS NOT DISTINCT FROM {swallowed}) EXECUTE FUNCTION swallow();
    """
    staging = make_staging(people("p-1", "p-2", "s-1"), schema)

    with pytest.raises(VerificationFailed, match=r"2 users were matched; .* trigger or rule"):
        staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u2@example.com", "s-2"))

    assert staging.subs() == {1: "p-1", 2: "p-2", 3: "s-1"}


def test_a_trigger_that_fails_rolls_everything_back(make_staging: MakeStaging) -> None:
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION ''not %'', NEW.email; END';
    CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id = 2)
        EXECUTE FUNCTION refuse();
    """
    staging = make_staging(people("p-1", "p-2"), schema)

    with pytest.raises(StagingSyncError, match="P0001") as caught:
        staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u2@example.com", "s-2"))

    assert staging.subs() == {1: "p-1", 2: "p-2"}
    assert "example.com" not in str(caught.value)


def test_a_trigger_may_write_to_other_users_meanwhile(make_staging: MakeStaging) -> None:
    # Rows that were not written to yet are in another place then, in the middle of the remap.
    # AFTER: a BEFORE trigger that does so makes PostgreSQL refuse any UPDATE of these rows.
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text UNIQUE, seen int DEFAULT 0);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN UPDATE users SET seen = seen + 1; RETURN NULL; END';
    CREATE TRIGGER touch AFTER UPDATE OF cognito_sub ON users
        FOR EACH STATEMENT EXECUTE FUNCTION touch();
    """
    staging = make_staging(people("s-2", "s-1", "p-3", "s-5", "p-5"), schema)

    result = staging.remap(*(PoolUser(f"u{id_}@example.com", f"s-{id_}") for id_ in (1, 2, 3, 5)))

    assert staging.subs() == {1: "s-1", 2: "s-2", 3: "s-3", 4: None, 5: "s-5"}
    assert result.counts == {"updated": 4, "unlinked": 1}
    assert staging.database.value("SELECT min(seen) FROM users") > 0


@pytest.mark.parametrize("timing", ["TRIGGER audit AFTER UPDATE ON users", DEFERRED])
def test_a_trigger_that_puts_the_old_sub_back_is_noticed_and_all_is_rolled_back(
    make_staging: MakeStaging, timing: str
) -> None:
    schema = f"""
    {USERS}
    CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN UPDATE users SET cognito_sub = OLD.cognito_sub WHERE id = NEW.id; RETURN NULL; END';
    CREATE {timing} FOR EACH ROW WHEN (NEW.cognito_sub = 's-2') EXECUTE FUNCTION put_back();
    """
    staging = make_staging(people("p-1", "p-2"), schema)

    with pytest.raises(
        VerificationFailed, match="2 users were matched; after the update 1 of them"
    ):
        staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u2@example.com", "s-2"))

    assert staging.subs() == {1: "p-1", 2: "p-2"}


def test_a_trigger_that_takes_a_sub_from_somebody_else_is_noticed(
    make_staging: MakeStaging,
) -> None:
    schema = f"""
    {USERS}
    CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN UPDATE users SET cognito_sub = NULL WHERE id = 2; RETURN NULL; END';
    CREATE TRIGGER take AFTER UPDATE ON users FOR EACH ROW WHEN (NEW.id = 1)
        EXECUTE FUNCTION take();
    """
    staging = make_staging(people("p-1", "s-2"), schema)

    with pytest.raises(
        VerificationFailed, match="2 users were matched; after the update 1 of them"
    ):
        staging.remap(PoolUser("u1@example.com", "s-1"), PoolUser("u2@example.com", "s-2"))

    assert staging.subs() == {1: "p-1", 2: "s-2"}


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("NEW.cognito_sub = 's-1'", "OLD.cognito_sub"),
        ("NEW.cognito_sub IS NULL", "OLD.cognito_sub"),
        ("NEW.cognito_sub IS NULL", "'s-4'"),
        ("NEW.cognito_sub = 's-1'", "'s-4'"),
    ],
)
def test_a_trigger_that_writes_another_sub_than_it_was_told_is_noticed(
    make_staging: MakeStaging, changed: str, to: str
) -> None:
    schema = f"""
    CREATE TABLE users (id int, email text, cognito_sub text);
    CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql
        AS $$BEGIN NEW.cognito_sub := {to}; RETURN NEW; END$$;
    CREATE TRIGGER another BEFORE UPDATE ON users FOR EACH ROW WHEN ({changed})
        EXECUTE FUNCTION another();
    """
    staging = make_staging(people("p-1", "p-2", "s-1", "s-4"), schema)
    before = staging.subs()

    with pytest.raises(VerificationFailed, match=r"3 users were matched; .* trigger or rule"):
        staging.remap(*(PoolUser(f"u{id_}@example.com", f"s-{id_}") for id_ in (1, 2, 4)))

    assert staging.subs() == before


@pytest.mark.parametrize(
    ("end", "table"),
    [
        ("", "users"),
        ("PARTITION BY LIST (id); CREATE TABLE part PARTITION OF users DEFAULT", "part"),
    ],
)
def test_a_trigger_that_writes_to_another_row_instead_is_noticed(
    make_staging: MakeStaging, end: str, table: str
) -> None:
    # As many rows are written as there should be.
    schema = f"""
    CREATE TABLE users (id int, email text, cognito_sub text) {end};
    CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE users SET email = email WHERE id = 4; RETURN NULL; END$$;
    CREATE TRIGGER instead BEFORE UPDATE ON {table} FOR EACH ROW
        WHEN (OLD.id = 3) EXECUTE FUNCTION instead();
    """
    staging = make_staging(people("p-1", "s-2", "s-1", "s-4"), schema)
    before = staging.subs()

    with pytest.raises(VerificationFailed, match=r"after the update 3 of them .* 1 other rows"):
        staging.remap(*(PoolUser(f"u{id_}@example.com", f"s-{id_}") for id_ in (1, 2, 4)))

    assert staging.subs() == before


def test_a_trigger_that_adds_a_row_with_a_matched_sub_is_noticed(
    make_staging: MakeStaging,
) -> None:
    schema = """
    CREATE TABLE users (id int, email text, cognito_sub text);
    CREATE FUNCTION add() RETURNS trigger LANGUAGE plpgsql
        AS $$BEGIN INSERT INTO users VALUES (9, 'u9@example.com', 's-2'); RETURN NULL; END$$;
    CREATE TRIGGER add AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION add();
    """
    staging = make_staging(people("p-1", "s-2"), schema)

    with pytest.raises(VerificationFailed, match=r"after the update 2 of them .* 1 other rows"):
        staging.remap(*(PoolUser(f"u{id_}@example.com", f"s-{id_}") for id_ in (1, 2)))

    assert staging.subs() == {1: "p-1", 2: "s-2"}


def test_a_rule_that_swallows_updates_is_noticed(make_staging: MakeStaging) -> None:
    schema = f"{USERS} CREATE RULE never AS ON UPDATE TO users DO INSTEAD NOTHING"
    staging = make_staging(people("p-1"), schema)

    with pytest.raises(
        VerificationFailed, match="1 users were matched; after the update 0 of them"
    ):
        staging.remap(PoolUser("u1@example.com", "s-1"))

    assert staging.subs() == {1: "p-1"}


def test_a_dry_run_fires_no_trigger(make_staging: MakeStaging) -> None:
    staging = make_staging(people("p-1", "s-1"), USERS + REFUSE)

    result = staging.remap(PoolUser("u1@example.com", "s-1"), dry_run=True)

    assert result.counts == {"updated": 1, "unlinked": 1}
    with pytest.raises(StagingSyncError, match="P0001"):
        staging.remap_as_listed()


def test_where_every_sub_is_right_no_trigger_fires(make_staging: MakeStaging) -> None:
    staging = make_staging(people("s-1", "p-2"), USERS + REFUSE)

    result = staging.remap(PoolUser("u1@example.com", "s-1"))

    assert result.counts == {"unchanged": 1, "skipped_no_cognito_user": 1}


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_event_trigger_does_not_fire_at_our_temporary_tables(
    make_staging: MakeStaging, dry_run: bool
) -> None:
    forbid = """
    CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
    CREATE EVENT TRIGGER forbid ON ddl_command_end EXECUTE FUNCTION forbid();
    """
    staging = make_staging(people("p-1"), USERS + forbid)

    result = staging.remap(PoolUser("u1@example.com", "s-1"), dry_run=dry_run)

    assert result.counts == {"updated": 1}

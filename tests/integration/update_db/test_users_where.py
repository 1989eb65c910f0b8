"""UpdateDb: the rows that `users_where` leaves out are no people."""

import pytest

from common.errors import ConfigurationError
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser

ANA = PoolUser("ana@x.org", "s-ana")
LIVE = "deleted_at IS NULL"
TWINS = """
ALTER TABLE users ADD deleted_at date, ADD status text;
INSERT INTO users VALUES (1, 'ana@x.org', 'p-1', NULL), (2, 'Ana@x.org', 'p-2', '2026-01-01');
"""


@pytest.mark.parametrize(
    "condition",
    [
        LIVE,
        "users.deleted_at IS NULL",
        "deleted_at IS NULL -- the living",
        "(deleted_at IS NULL) OR (false)",
        "coalesce(status, 'active') LIKE 'a%' AND NOT EXISTS (SELECT 1 WHERE users.id = 2)",
        "lives(id)",
    ],
)
def test_a_deleted_twin_makes_nobody_ambiguous(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    monkeypatch.setenv("USERS_WHERE", condition)
    staging = make_staging(
        f"{TWINS} CREATE FUNCTION lives(id int) RETURNS boolean LANGUAGE sql AS 'SELECT id = 1'"
    )

    result = staging.remap(ANA)

    assert staging.subs() == {1: "s-ana", 2: "p-2"}
    assert result.counts == {"updated": 1}
    assert staging.remap(ANA).counts == {"unchanged": 1}


def test_without_it_both_are_ambiguous(make_staging: MakeStaging) -> None:
    assert make_staging(TWINS).remap(ANA).counts == {"skipped_ambiguous": 2}


def test_a_row_that_is_left_out_gives_up_the_sub_of_a_person(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_WHERE", LIVE)
    staging = make_staging(f"{TWINS} UPDATE users SET cognito_sub = 's-ana' WHERE id = 2")

    result = staging.remap(ANA)

    assert staging.subs() == {1: "s-ana", 2: None}
    assert result.counts == {"updated": 1, "unlinked": 1}


def test_a_trigger_that_moves_rows_does_not_bring_it_in_again(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_WHERE", LIVE)
    staging = make_staging(
        f"""
        {TWINS}
        INSERT INTO users VALUES (3, 'bo@x.org', 's-ana', NULL);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF pg_trigger_depth() = 1 THEN UPDATE users SET status = 'seen' WHERE id = 1; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER touch AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
        """
    )

    staging.remap(ANA)

    assert staging.subs() == {1: "s-ana", 2: "p-2", 3: None}


@pytest.mark.parametrize(
    "condition",
    [
        "true) OR (true",
        "true LIMIT 1",
        "true UNION SELECT 1",
        "true; DELETE FROM users",
        "deleted_at",
        "removed_at IS NULL",
        "count(*) > 0",
        "row_number() OVER () = 1",
        "/* deleted_at IS NULL",
        "'",
        "remember(id)",
        "id = (DELETE FROM users RETURNING id)",
        "1/0 = 1",
    ],
)
def test_what_is_no_condition_is_refused_and_nothing_is_written(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    monkeypatch.setenv("USERS_WHERE", condition)
    staging = make_staging(
        f"""
        {TWINS} CREATE TABLE log (id int);
        CREATE FUNCTION remember(id int) RETURNS boolean LANGUAGE sql AS
            'INSERT INTO log VALUES (id); SELECT true';
        """
    )
    before = staging.row_versions()

    with pytest.raises(ConfigurationError, match=r"users_where .* must be one boolean expression"):
        staging.remap(ANA)

    assert staging.row_versions() == before
    assert staging.database.value("SELECT count(*) FROM log") == 0

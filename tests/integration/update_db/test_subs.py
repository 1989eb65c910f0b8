"""UpdateDb: which sub a matched row gets, whom it is taken from, and what stays as it is."""

import pytest

from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser

JANE = "INSERT INTO users VALUES (1, 'jane@example.com', 'production-1')"
# Somebody else holds the sub that is Jane's in staging's pool.
JANE_AND_HOLDER = JANE + ", (2, 'holder@example.com', 'staging-1')"


def test_a_sub_that_another_row_holds_is_taken_from_it(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE_AND_HOLDER)

    result = staging.remap(PoolUser("jane@example.com", "staging-1"))

    assert staging.subs() == {1: "staging-1", 2: None}
    assert result.counts == {"updated": 1, "unlinked": 1}
    assert result.warnings == "1 users lost their sub: it belongs to another row."
    assert result.line_of("holder@example.com") == (
        "holder@example.com",
        "unlinked",
        "staging-1",
        "",
        "the sub belongs to another row; no user of the pool has this email",
    )


def test_a_sub_that_its_row_has_already_is_taken_from_others_too(make_staging: MakeStaging) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'jane@example.com', 's'), (2, 'b@example.com', 's'),"
        " (3, NULL, 's')",
        schema="CREATE TABLE users (id int, email text, cognito_sub text)",
    )
    before = staging.row_versions()

    result = staging.remap(PoolUser("jane@example.com", "s"))

    assert staging.subs() == {1: "s", 2: None, 3: None}
    assert staging.row_versions()[1] == before[1]
    assert result.counts == {"unchanged": 1, "unlinked": 2}


def test_ambiguous_rows_keep_a_sub_only_where_it_is_not_somebody_elses(
    make_staging: MakeStaging,
) -> None:
    staging = make_staging(
        JANE + ", (2, 'twin@example.com', 'staging-1'), (3, 'twin@example.com', 'production-3')"
    )

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1"), PoolUser("twin@example.com", "staging-2")
    )

    assert staging.subs() == {1: "staging-1", 2: None, 3: "production-3"}
    assert result.counts == {"updated": 1, "unlinked": 1, "skipped_ambiguous": 1}


@pytest.mark.parametrize("people", [2, 3, 7])
def test_people_can_change_places_under_an_immediate_unique_constraint(
    make_staging: MakeStaging, people: int
) -> None:
    rows = ", ".join(f"({each}, 'u{each}@example.com', 's-{each}')" for each in range(people))
    staging = make_staging(f"INSERT INTO users VALUES {rows}")

    result = staging.remap(
        *(PoolUser(f"u{each}@example.com", f"s-{(each + 1) % people}") for each in range(people))
    )

    assert staging.subs() == {each: f"s-{(each + 1) % people}" for each in range(people)}
    assert result.counts == {"updated": people}


@pytest.mark.parametrize("verified", ["false", "", "True"])
def test_a_match_by_an_unverified_email_is_made_counted_and_warned_of(
    make_staging: MakeStaging, verified: str
) -> None:
    staging = make_staging(JANE)

    result = staging.remap(PoolUser("jane@example.com", "staging-1", email_verified=verified))

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1, "unverified_email": 1}
    assert result.warnings.startswith("1 users were matched by an email that is not verified")
    assert result.line_of("jane@example.com").reason == "the email is not verified"


@pytest.mark.parametrize("verified", ["false", "", "True"])
def test_a_match_by_an_unverified_email_is_not_made_where_the_settings_say_so(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, verified: str
) -> None:
    monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", "true")
    staging = make_staging(JANE + ", (2, 'joe@example.com', 'production-2')")

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1", email_verified=verified),
        PoolUser("joe@example.com", "staging-2", email_verified="true"),
    )

    assert staging.subs() == {1: "production-1", 2: "staging-2"}
    assert result.counts == {"updated": 1, "unverified_email": 1}
    assert result.warnings == "1 users were skipped: their email is not verified in the pool."
    assert result.line_of("jane@example.com") == (
        "jane@example.com",
        "unverified_email",
        "production-1",
        "",
        "the email is not verified",
    )


def test_a_better_user_who_is_verified_makes_an_unverified_one_harmless(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", "true")
    staging = make_staging(JANE)

    result = staging.remap(
        PoolUser("jane@example.com", "claims-it", email_verified="false"),
        PoolUser("jane@example.com", "staging-1", status="FORCE_CHANGE_PASSWORD"),
    )

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1}


def test_a_row_whose_sub_is_right_already_is_not_written(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE + ", (2, 'joe@example.com', 'staging-2')")
    before = staging.row_versions()

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1"), PoolUser("joe@example.com", "staging-2")
    )

    after = staging.row_versions()
    assert (after[1] != before[1], after[2] == before[2]) == (True, True)
    assert result.counts == {"updated": 1, "unchanged": 1}


def test_a_second_run_changes_nothing(make_staging: MakeStaging) -> None:
    staging = make_staging(
        JANE_AND_HOLDER + ", (3, 'twin@example.com', 'p-3'), (4, 'twin@example.com', 'p-4')"
    )
    pool = (
        PoolUser("jane@example.com", "staging-1"),
        PoolUser("twin@example.com", "staging-2"),
        PoolUser("new@example.com", "staging-3"),
    )
    staging.remap(*pool)
    before = staging.row_versions()

    result = staging.remap(*pool)

    assert staging.row_versions() == before
    assert result.counts == {
        "unchanged": 1,
        "skipped_no_cognito_user": 1,
        "skipped_no_db_user": 1,
        "skipped_ambiguous": 2,
    }


def test_an_empty_pool_updates_nothing_and_warns(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)
    before = staging.row_versions()

    result = staging.remap()

    assert staging.row_versions() == before
    assert result.counts == {"skipped_no_cognito_user": 1}
    assert result.warnings == "The user pool has no users; nothing was updated."

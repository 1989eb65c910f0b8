"""UpdateDb: rows that hold a sub which the pool knows under another email."""

import pytest

from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser

ANA = PoolUser("ana@x.org", "s-ana")
TESTER = PoolUser("tester@x.org", "s-tester")


def test_a_customers_row_gives_up_the_testers_sub(make_staging: MakeStaging) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2091, 'customer@x.org', 's-tester')"
    )

    result = staging.remap(ANA, TESTER)

    assert staging.subs() == {1: "s-ana", 2091: None}
    assert result.counts == {"unchanged": 1, "skipped_no_db_user": 1, "mismatched": 1}
    line = result.line_of("customer@x.org")
    assert (line.status, line.old_sub) == ("mismatched", "s-tester")
    assert line.reason.startswith("the pool knows the sub under another email; no user of the pool")
    assert "1 users held a sub that the pool knows under another email, and lost it" in (
        result.warnings
    )
    assert staging.remap(ANA, TESTER).counts == {
        "unchanged": 1,
        "skipped_no_db_user": 1,
        "skipped_no_cognito_user": 1,
    }


def test_a_dry_run_counts_them_and_writes_nothing(make_staging: MakeStaging) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2, 'customer@x.org', 's-tester')"
    )
    before = staging.row_versions()

    result = staging.remap(ANA, TESTER, dry_run=True)

    assert result.counts == {"unchanged": 1, "skipped_no_db_user": 1, "mismatched": 1}
    assert staging.row_versions() == before


def test_they_are_only_counted_where_the_setting_says_so(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELEASE_MISMATCHED", "false")
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2, 'customer@x.org', 's-tester')"
    )

    result = staging.remap(ANA, TESTER)

    assert staging.subs() == {1: "s-ana", 2: "s-tester"}
    assert result.counts == {"unchanged": 1, "skipped_no_db_user": 1, "mismatched": 1}
    assert "keep it, as release_mismatched is false" in result.warnings


def test_whose_own_person_has_the_sub_in_another_row_is_unlinked_and_nothing_else(
    make_staging: MakeStaging,
) -> None:
    staging = make_staging(
        "ALTER TABLE users DROP CONSTRAINT users_cognito_sub_key;"
        "INSERT INTO users VALUES (1, 'ana@x.org', 'p'), (2, 'tester@x.org', 's-tester'),"
        " (3, 'customer@x.org', 's-ana'), (4, 'other@x.org', 's-tester')"
    )

    result = staging.remap(ANA, TESTER)

    assert staging.subs() == {1: "s-ana", 2: "s-tester", 3: None, 4: None}
    assert result.counts == {"updated": 1, "unchanged": 1, "unlinked": 2}


@pytest.mark.parametrize("email", ["'twin@x.org'", "NULL", "'  '"])
def test_ambiguous_rows_and_rows_without_an_email_give_it_up_too(
    make_staging: MakeStaging, email: str
) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2, 'twin@x.org', NULL),"
        f" (3, {email}, 's-tester')"
    )

    result = staging.remap(ANA, TESTER, PoolUser("Twin@x.org", "s-twin"))

    subs = staging.subs()
    assert (subs[1], subs[3]) == ("s-ana", None)
    assert result.counts["mismatched"] == 1
    rows = sum(result.counts.values()) - result.counts.get("skipped_no_db_user", 0)
    assert rows == 3, "each row is counted once"


def test_a_row_that_is_skipped_as_unverified_gives_it_up(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", "true")
    staging = make_staging("INSERT INTO users VALUES (1, 'mona@x.org', 's-tester')")

    result = staging.remap(TESTER, PoolUser("mona@x.org", "s-mona", email_verified="false"))

    assert staging.subs() == {1: None}
    assert result.counts == {"mismatched": 1, "skipped_no_db_user": 1}


def test_a_user_of_the_pool_without_an_email_is_no_proof(make_staging: MakeStaging) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2, 'customer@x.org', 's-robot')"
    )

    result = staging.remap(ANA, PoolUser(" ", "s-robot"))

    assert staging.subs()[2] == "s-robot"
    assert "mismatched" not in result.counts


def test_the_sub_of_a_worse_account_with_the_rows_own_email_is_no_mismatch(
    make_staging: MakeStaging,
) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2, 'jo@x.org', 's-jo1'),"
        " (3, 'Jo@x.org', 's-jo2')"
    )

    result = staging.remap(ANA, PoolUser("jo@x.org", "s-jo1"), PoolUser("JO@x.org", "s-jo2"))

    assert staging.subs() == {1: "s-ana", 2: "s-jo1", 3: "s-jo2"}
    assert result.counts == {"unchanged": 1, "skipped_ambiguous": 2}


def test_where_nobody_matches_at_all_nobody_gives_up_a_sub(make_staging: MakeStaging) -> None:
    staging = make_staging("INSERT INTO users VALUES (1, 'customer@x.org', 's-tester')")

    result = staging.remap(ANA, TESTER)

    assert staging.subs() == {1: "s-tester"}
    assert result.counts == {"skipped_no_cognito_user": 1, "skipped_no_db_user": 2}


def test_a_required_sub_becomes_a_value_that_nobody_has(make_staging: MakeStaging) -> None:
    staging = make_staging(
        "ALTER TABLE users ALTER cognito_sub SET NOT NULL;"
        "INSERT INTO users VALUES (1, 'ana@x.org', 's-ana'), (2, 'customer@x.org', 's-tester')"
    )

    staging.remap(ANA, TESTER)

    assert staging.subs()[2].startswith("unlinked:")

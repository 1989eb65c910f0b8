"""UpdateDb: people are found by addresses that the sync has masked."""

import pytest

from common.errors import ConfigurationError
from tests.integration.update_db.conftest import MakeStaging, UseMask
from tests.integration.update_db.masked_staging import ANA, BO, TEAM, staging_of, subs_of
from tests.integration.update_db.remapping import PoolUser
from tests.support.masked_emails import as_compared, masked

# As production and the pool have them.
SAME = [
    ("Jane@Example.com", "jane@example.com"),
    ("joe@example.com", "JOE@EXAMPLE.COM"),
    ("  kim@example.com ", "kim@example.com"),
    ("lee@example.com", "\tLee@example.com\n"),
    ("max@example.com\u00a0", "\u00a0max@example.com\r\n"),
    ("ÉLODIE@example.com", "élodie@example.com"),
    ("jürgen@example.com", "JÜRGEN@example.com"),
    ("żółć@example.com", "ŻÓŁĆ@example.com"),
    ("иван@example.com", "ИВАН@example.com"),
    ('"neill, j"@example.com', '"Neill, J"@example.com'),
    ("\u0130van@example.com", "\u0130VAN@example.com"),
    ("PAVEL@boo\u212ashop.example", "pavel@boo\u212ashop.example"),
]


@pytest.mark.parametrize("dry_run", [False, True])
def test_masked_people_are_found_whatever_the_case_and_blanks_on_both_sides(
    make_staging: MakeStaging, use_mask: UseMask, *, dry_run: bool
) -> None:
    use_mask("email")
    staging = staging_of(
        make_staging, *((masked(there), f"p-{number}") for number, (there, _) in enumerate(SAME))
    )
    before = staging.row_versions()
    pool = [PoolUser(here, f"s-{number}") for number, (_, here) in enumerate(SAME)]

    result = staging.remap(*pool, dry_run=dry_run)

    assert result.counts == {"updated": len(SAME)}
    assert {line.email for line in result.lines} == {as_compared(here) for _, here in SAME}
    if dry_run:
        assert staging.row_versions() == before
        return
    assert subs_of(staging) == [f"s-{number}" for number in range(len(SAME))]
    written = staging.row_versions()
    assert staging.remap(*pool).counts == {"unchanged": len(SAME)}
    assert staging.row_versions() == written
    emails = staging.database.rows("SELECT email FROM users ORDER BY id")
    assert emails == [(masked(there),) for there, _ in SAME], "they are left as they are"


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (ANA, BO),
        ("pavel@bookshop.example", "pavel@boo\u212ashop.example"),
        ("ivan@x.org", "\u0130van@x.org"),
        ("\u00a0", "\u00a0"),
        ("\u00a0", " "),
        ("", ""),
    ],
)
def test_other_addresses_and_blank_ones_find_nobody(
    make_staging: MakeStaging, use_mask: UseMask, there: str, here: str
) -> None:
    use_mask("email")
    row = masked(there) if there else there
    staging = staging_of(make_staging, (row, "p-1"), (masked("vera@x.org"), "s-vera"))

    result = staging.remap(PoolUser(here, "s-1"), PoolUser("vera@x.org", "s-vera"))

    assert subs_of(staging) == ["p-1", "s-vera"]
    assert result.counts == {"unchanged": 1, "skipped_no_cognito_user": 1, "skipped_no_db_user": 1}
    assert "near misses" not in result.warnings


def test_two_rows_whose_addresses_differ_in_case_only_are_ambiguous(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked("Ana@x.org"), "p-1"), (masked(ANA), "p-2"))

    result = staging.remap(PoolUser("ANA@x.org", "s-1"))

    assert subs_of(staging) == ["p-1", "p-2"]
    assert result.counts == {"skipped_ambiguous": 2}
    assert {line.email for line in result.lines} == {as_compared(ANA)}


def test_of_several_users_with_one_address_the_best_gets_the_row(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked(ANA), None))

    staging.remap(PoolUser("Ana@x.org", "s-old", enabled="false"), PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["s-ana"]


def test_addresses_of_kept_domains_are_compared_and_reported_as_they_are(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, ("Dev@Team.example", "p-1"), (masked(ANA), "p-2"), ("old@team.example", "p-3")
    )

    result = staging.remap(
        PoolUser(" dev@TEAM.example", "s-dev"),
        PoolUser(ANA, "s-ana"),
        PoolUser("new@team.example", "s-new"),
        PoolUser("x@sub.team.example", "s-x"),
    )

    assert subs_of(staging) == ["s-dev", "s-ana", "p-3"]
    assert {(line.email, line.status) for line in result.lines} == {
        ("dev@team.example", "updated"),
        (as_compared(ANA), "updated"),
        ("old@team.example", "no_cognito_user"),
        ("new@team.example", "no_db_user"),
        (as_compared("x@sub.team.example"), "no_db_user"),
    }


def test_a_near_miss_is_told_among_addresses_of_kept_domains_only(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, ("dev\u200b@team.example", "p-1"), (masked("ana\u200b@x.org"), "p-2")
    )

    result = staging.remap(PoolUser("dev@team.example", "s-dev"), PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["p-1", "p-2"]
    assert "1 near misses" in result.warnings


def test_rows_that_testers_made_with_a_plain_address_are_found_too(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (" Tester@x.org", "p-1"), (masked(ANA), "p-2"))

    result = staging.remap(PoolUser("tester@x.org", "s-tester"), PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["s-tester", "s-ana"]
    assert result.counts == {"updated": 2}
    assert "tester@x.org" not in str(result.lines)


def test_a_plain_row_and_a_masked_one_of_the_same_address_are_ambiguous(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (ANA, "p-1"), (masked("Ana@x.org"), "p-2"))

    assert staging.remap(PoolUser(ANA, "s-1")).counts == {"skipped_ambiguous": 2}


def test_the_masked_address_of_a_masked_address_is_another_persons(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked(ANA), "p-1"), (masked(masked(ANA)), "p-2"))

    staging.remap(PoolUser(ANA, "s-ana"), PoolUser(masked(ANA), "s-odd"))

    assert subs_of(staging) == ["s-ana", "s-odd"], "production may hold addresses of any form"


def test_a_row_with_a_sub_that_the_pool_knows_under_another_address_loses_it(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, (masked(ANA), "s-ana"), (masked("new@x.org"), "s-bo"), (None, "s-dev")
    )

    result = staging.remap(
        PoolUser(ANA, "s-ana"), PoolUser(BO, "s-bo"), PoolUser("dev@team.example", "s-dev")
    )

    assert subs_of(staging) == ["s-ana", None, None]
    assert result.counts == {"unchanged": 1, "mismatched": 2, "skipped_no_db_user": 2}


def test_a_sub_of_a_worse_account_with_the_rows_own_address_is_no_mismatch(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(
        make_staging, (masked(ANA), "s-a1"), (masked("Ana@x.org"), "s-a2"), (masked(BO), "s-bo")
    )

    result = staging.remap(
        PoolUser("ANA@x.org", "s-a1"), PoolUser(ANA, "s-a2"), PoolUser(BO, "s-bo")
    )

    assert subs_of(staging) == ["s-a1", "s-a2", "s-bo"]
    assert result.counts == {"unchanged": 1, "skipped_ambiguous": 2}


def test_people_who_hold_each_others_sub_get_their_own(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging,
        (masked("Ana@x.org"), "s-bo"),
        (masked(BO), "s-dev"),
        ("Dev@team.example", "s-tester"),
        ("tester@x.org", "s-ana"),
    )
    pool = [
        PoolUser(ANA, "s-ana"),
        PoolUser(BO, "s-bo"),
        PoolUser("dev@team.example", "s-dev"),
        PoolUser("Tester@x.org", "s-tester"),
    ]

    assert staging.remap(*pool).counts == {"updated": 4}

    assert subs_of(staging) == ["s-ana", "s-bo", "s-dev", "s-tester"]
    assert staging.remap(*pool).counts == {"unchanged": 4}


def test_a_row_that_is_no_person_loses_a_persons_sub_and_is_reported_masked(
    make_staging: MakeStaging, use_mask: UseMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mask("email")
    monkeypatch.setenv("USERS_WHERE", "id < 2")
    staging = staging_of(make_staging, (masked(ANA), "p-1"), ("robot@x.org", "s-ana"))

    result = staging.remap(PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["s-ana", None]
    assert result.line_of(as_compared("robot@x.org")).status == "unlinked"


def test_too_few_matches_are_counted_by_masked_addresses(
    make_staging: MakeStaging, use_mask: UseMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mask(TEAM)
    monkeypatch.setenv("MIN_MATCHED_PERCENT", "67")
    staging = staging_of(make_staging, (masked(ANA), "p-1"), ("dev@team.example", "p-2"))
    pool = [PoolUser("Ana@x.org", "s-1"), PoolUser("dev@team.example", "s-2"), PoolUser(BO, "s-3")]

    with pytest.raises(ConfigurationError, match="2 of 3 users"):
        staging.remap(*pool)

    assert staging.remap(*pool[:2]).counts == {"updated": 2}

"""UpdateDb: which user of the pool a row belongs to."""

import itertools

import pytest

from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser

JANE = "INSERT INTO users VALUES (1, 'jane@example.com', 'production-1')"


def test_a_row_gets_the_sub_of_its_email_and_never_the_username(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)

    result = staging.remap(PoolUser("jane@example.com", "staging-1", username="google_117"))

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1}
    assert result.warnings == ""
    assert result.line_of("jane@example.com") == (
        "jane@example.com",
        "updated",
        "production-1",
        "staging-1",
        "",
    )


# As the table and the pool have them.
SAME = [
    ("Jane@Example.com", "jane@example.com"),
    ("joe@example.com", "JOE@EXAMPLE.COM"),
    ("  kim@example.com ", "kim@example.com"),
    ("lee@example.com", "\tlee@example.com\n"),
    ("max@example.com\u00a0", "\u00a0max@example.com\r\n"),
    ("ÉLODIE@example.com", "élodie@example.com"),
    ("żółć@example.com", "ŻÓŁĆ@example.com"),
    ("иван@example.com", "ИВАН@example.com"),
    ('"neill, j"@example.com', '"Neill, J"@example.com'),
]


def test_emails_are_compared_trimmed_and_in_lower_case(make_staging: MakeStaging) -> None:
    rows = ", ".join(f"({number}, '{in_table}')" for number, (in_table, _) in enumerate(SAME))
    staging = make_staging(f"INSERT INTO users VALUES {rows}")

    result = staging.remap(
        *(PoolUser(in_pool, f"s-{number}") for number, (_, in_pool) in enumerate(SAME))
    )

    assert staging.subs() == {number: f"s-{number}" for number in range(len(SAME))}
    assert result.counts == {"updated": len(SAME)}
    emails = staging.database.rows("SELECT email FROM users ORDER BY id")
    assert emails == [(in_table,) for in_table, _ in SAME], "they are left as they are"


def test_another_email_is_another_person(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)
    others = ["jane+1@example.com", "jane@example.co", "ja ne@example.com", "jané@example.com"]

    result = staging.remap(*(PoolUser(other, f"s-{other}") for other in others))

    assert staging.subs() == {1: "production-1"}
    assert result.counts == {"skipped_no_cognito_user": 1, "skipped_no_db_user": len(others)}


def test_a_row_without_a_user_in_the_pool_is_left_as_it_is(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE + ", (2, 'joe@example.com', 'production-2'), (3, NULL, 'p-3')")
    before = staging.row_versions()

    result = staging.remap(PoolUser("joe@example.com", "staging-2"))

    assert staging.subs() == {1: "production-1", 2: "staging-2", 3: "p-3"}
    assert {key for key, version in staging.row_versions().items() if version != before[key]} == {2}
    assert result.counts == {"updated": 1, "skipped_no_cognito_user": 2}
    assert result.line_of("jane@example.com") == (
        "jane@example.com",
        "no_cognito_user",
        "production-1",
        "",
        "no user of the pool has this email",
    )
    assert result.line_of("").reason == "the row has no email"


def test_a_user_of_the_pool_without_a_row_creates_none(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1"), PoolUser("new@example.com", "staging-2")
    )

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1, "skipped_no_db_user": 1}
    assert result.line_of("new@example.com") == (
        "new@example.com",
        "no_db_user",
        "",
        "",
        "no row has this email",
    )


def test_users_and_rows_without_an_email_do_not_meet(make_staging: MakeStaging) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, NULL, 'p-1'), (2, '', 'p-2'), (3, ' ', 'p-3')"
    )

    result = staging.remap(PoolUser("", "staging-1"), PoolUser(" ", "staging-2"))

    assert staging.subs() == {1: "p-1", 2: "p-2", 3: "p-3"}
    assert result.counts == {"skipped_no_cognito_user": 3, "skipped_no_db_user": 2}
    assert {line.reason for line in result.lines} == {
        "the row has no email",
        "the user of the pool has no email",
    }


BETTER_TO_WORSE = [
    {"enabled": "true", "email_verified": "true", "status": "CONFIRMED"},
    {"enabled": "true", "email_verified": "true", "status": "EXTERNAL_PROVIDER"},
    {"enabled": "true", "email_verified": "true", "status": "FORCE_CHANGE_PASSWORD"},
    {"enabled": "true", "email_verified": "false", "status": "CONFIRMED"},
    {"enabled": "true", "email_verified": "", "status": "EXTERNAL_PROVIDER"},
    {"enabled": "true", "email_verified": "false", "status": "UNCONFIRMED"},
    {"enabled": "false", "email_verified": "true", "status": "CONFIRMED"},
    {"enabled": "false", "email_verified": "true", "status": "EXTERNAL_PROVIDER"},
    {"enabled": "false", "email_verified": "true", "status": "RESET_REQUIRED"},
    {"enabled": "false", "email_verified": "", "status": "CONFIRMED"},
    {"enabled": "false", "email_verified": "false", "status": "EXTERNAL_PROVIDER"},
    {"enabled": "false", "email_verified": "false", "status": "UNKNOWN"},
]


def test_of_several_users_with_one_email_the_best_wins(make_staging: MakeStaging) -> None:
    pairs = list(itertools.combinations(range(len(BETTER_TO_WORSE)), 2))
    rows = ", ".join(f"({number}, 'u{number}@example.com', NULL)" for number in range(len(pairs)))
    staging = make_staging(f"INSERT INTO users VALUES {rows}")
    # The worse one is listed first, and its sub and last change come first and last.
    pool = [
        PoolUser(f"u{number}@example.com", f"{place}-{number}", **BETTER_TO_WORSE[grade])
        for number, (better, worse) in enumerate(pairs)
        for place, grade in (("a-worse", worse), ("b-better", better))
    ]

    result = staging.remap(*pool)

    assert staging.subs() == {number: f"b-better-{number}" for number in range(len(pairs))}
    assert result.output["updated"] == len(pairs)
    assert (
        "the best of 2 users of the pool with this email" in result.line_of("u0@example.com").reason
    )


def test_a_tie_at_the_top_is_ambiguous_and_changes_nothing(make_staging: MakeStaging) -> None:
    rows = ", ".join(f"({each}, 'u{each}@example.com', 'p-{each}')" for each in range(12))
    staging = make_staging(f"INSERT INTO users VALUES {rows}")
    before = staging.row_versions()

    result = staging.remap(
        *(
            PoolUser(f"{letter}{number}@example.com", f"s-{letter}-{number}", **grade)
            for number, grade in enumerate(BETTER_TO_WORSE)
            for letter in ("u", "U")
        )
    )

    assert staging.row_versions() == before
    assert result.counts == {"skipped_ambiguous": 12}
    assert result.warnings.startswith("12 users were left as they are: their email occurs twice")
    reason = "2 users of the pool have this email and none is better"
    assert all(line.reason.startswith(reason) for line in result.lines)


def test_a_third_and_worse_user_does_not_break_a_tie(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1"),
        PoolUser("jane@example.com", "staging-2"),
        PoolUser("jane@example.com", "staging-3", enabled="false"),
    )

    assert staging.subs() == {1: "production-1"}
    assert result.counts == {"skipped_ambiguous": 1}


def test_a_tie_below_the_top_does_not_matter(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1", status="UNCONFIRMED"),
        PoolUser("jane@example.com", "staging-2", status="UNCONFIRMED"),
        PoolUser("jane@example.com", "staging-3"),
    )

    assert staging.subs() == {1: "staging-3"}
    assert result.counts == {"updated": 1}


def test_a_tie_whose_email_no_row_has_is_one_email_without_a_row(make_staging: MakeStaging) -> None:
    staging = make_staging()

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1"), PoolUser("jane@example.com", "staging-2")
    )

    assert result.counts == {"skipped_no_db_user": 1}
    assert [line.status for line in result.lines] == ["no_db_user"]


def test_several_rows_with_one_email_are_ambiguous(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE + ", (2, ' JANE@example.com', 'production-2')")
    before = staging.row_versions()

    result = staging.remap(PoolUser("jane@example.com", "staging-1"))

    assert staging.row_versions() == before
    assert result.counts == {"skipped_ambiguous": 2}
    assert [(line.status, line.old_sub, line.reason) for line in result.lines] == [
        ("ambiguous", "production-1", "2 rows have this email"),
        ("ambiguous", "production-2", "2 rows have this email"),
    ]


ONE_PERSONS_ACCOUNTS = [
    PoolUser("jane@example.com", "s-0"),
    PoolUser("jane@example.com", "s-1", enabled="false"),
    PoolUser("jane@example.com", "s-2", status="UNCONFIRMED"),
    PoolUser("jane@example.com", "s-3", email_verified="false"),
    PoolUser("jane@example.com", "s-4", email_verified="false"),
]


@pytest.mark.parametrize(
    ("first", "last", "status", "reason"),
    [
        (0, 5, "updated", "the best of 5 users of the pool with this email"),
        (2, 5, "updated", "the best of 3 users of the pool with this email"),
        (3, 5, "ambiguous", "2 users of the pool have this email and none is better"),
        (1, 2, "updated", ""),
    ],
)
def test_a_reason_counts_the_users_with_an_email_and_the_best_among_them(
    make_staging: MakeStaging, first: int, last: int, status: str, reason: str
) -> None:
    staging = make_staging(JANE)

    result = staging.remap(*reversed(ONE_PERSONS_ACCOUNTS[first:last]))

    line = result.line_of("jane@example.com")
    assert (line.status, line.reason.removesuffix("; the email is not verified")) == (
        status,
        reason,
    )
    assert staging.subs() == {1: f"s-{first}" if status == "updated" else "production-1"}


def test_several_rows_with_an_email_that_the_pool_lacks_have_no_user(
    make_staging: MakeStaging,
) -> None:
    staging = make_staging(JANE + ", (2, 'JANE@example.com', 'production-2')")

    result = staging.remap(PoolUser("joe@example.com", "staging-1"))

    assert result.counts == {"skipped_no_cognito_user": 2, "skipped_no_db_user": 1}


def test_a_user_who_is_listed_twice_is_one_user(make_staging: MakeStaging) -> None:
    staging = make_staging(JANE)

    result = staging.remap(
        PoolUser("jane@example.com", "staging-1"), PoolUser("jane@example.com", "staging-1")
    )

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1}
    assert result.line_of("jane@example.com").reason == ""


@pytest.mark.parametrize("newer_first", [True, False])
def test_a_user_who_changed_while_the_pool_was_listed_counts_as_they_are_now(
    make_staging: MakeStaging, newer_first: bool
) -> None:
    staging = make_staging(JANE + ", (2, 'jane.now@example.com', NULL)")
    older = PoolUser("jane@example.com", "s", last_modified="2026-03-01T10:00:00+00:00")
    newer = PoolUser("jane.now@example.com", "s", last_modified="2026-03-01T10:00:00.5+00:00")

    staging.remap(*([newer, older] if newer_first else [older, newer]))

    assert staging.subs() == {1: "production-1", 2: "s"}

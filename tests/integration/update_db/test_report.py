"""UpdateDb: what it returns, reports and logs, and what a dry run leaves alone."""

import io
import json

import pytest

from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import REPORT, UNTOUCHED, PoolUser, Staging
from tests.support.bucket import BUCKET

# One row, or user of the pool, for every status that there is.
ROWS = """
INSERT INTO users VALUES
    (1, 'updated@example.com', 'production-1'),
    (2, 'unchanged@example.com', 'staging-2'),
    (3, 'left@example.com', 'production-3'),
    (4, 'twin@example.com', 'production-4'),
    (5, ' Twin@Example.com', 'production-5'),
    (6, 'holder@example.com', 'staging-1'),
    (7, 'unverified@example.com', NULL)
"""
POOL = (
    PoolUser("updated@example.com", "staging-1"),
    PoolUser("Unchanged@example.com", "staging-2", username="google_117"),
    PoolUser("twin@example.com", "staging-4"),
    PoolUser("unverified@example.com", "staging-7", email_verified="false"),
    PoolUser("new@example.com", "staging-8"),
    PoolUser("", "staging-9"),
)
LINES = [
    ("twin@example.com", "ambiguous", "production-4", "", "2 rows have this email"),
    ("twin@example.com", "ambiguous", "production-5", "", "2 rows have this email"),
    (
        "left@example.com",
        "no_cognito_user",
        "production-3",
        "",
        "no user of the pool has this email",
    ),
    ("new@example.com", "no_db_user", "", "", "no row has this email"),
    ("", "no_db_user", "", "", "the user of the pool has no email"),
    (
        "holder@example.com",
        "unlinked",
        "staging-1",
        "",
        "the sub belongs to another row; no user of the pool has this email",
    ),
    ("unverified@example.com", "updated", "", "staging-7", "the email is not verified"),
    ("updated@example.com", "updated", "production-1", "staging-1", ""),
    ("unchanged@example.com", "unchanged", "staging-2", "staging-2", ""),
]
COUNTS = {
    "updated": 2,
    "unchanged": 1,
    "skipped_no_cognito_user": 1,
    "skipped_no_db_user": 2,
    "skipped_ambiguous": 2,
    "unlinked": 1,
    "mismatched": 0,
    "unverified_email": 1,
}


@pytest.fixture
def staging(make_staging: MakeStaging) -> Staging:
    return make_staging(ROWS)


def test_the_output_is_counts_warnings_and_the_reports_address(staging: Staging) -> None:
    result = staging.remap(*POOL)

    warnings = result.output.pop("warnings")
    assert result.output == COUNTS | {"followers": {}, "report": f"s3://{BUCKET}/{REPORT}"}
    assert [warning.split(":")[0] for warning in warnings] == [
        "2 users were left as they are",
        "1 users lost their sub",
        "1 users were matched by an email that is not verified",
    ]


def test_the_report_has_one_line_per_user(staging: Staging) -> None:
    assert staging.remap(*POOL).lines == LINES


@pytest.mark.parametrize("require_verified", ["false", "true"])
def test_every_row_of_the_table_is_counted_once(
    staging: Staging, monkeypatch: pytest.MonkeyPatch, require_verified: str
) -> None:
    monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", require_verified)
    counts = staging.remap(*POOL).output

    of_rows = ["updated", "unchanged", "skipped_no_cognito_user", "skipped_ambiguous", "unlinked"]
    if require_verified == "true":
        of_rows.append("unverified_email")
    rows = staging.database.value("SELECT count(*) FROM users")
    assert sum(counts[name] for name in of_rows) == rows


def test_neither_the_output_nor_the_log_names_a_person(
    staging: Staging, logged: io.StringIO
) -> None:
    result = staging.remap(*POOL)

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert {line["execution"] for line in lines} == {"run-1"}
    (summary,) = [line for line in lines if line["message"] == "remapped"]
    assert (summary["counts"], summary["is_dry_run"]) == (COUNTS, False)
    logged_warnings = [line["warning"] for line in lines if line["level"] == "WARNING"]
    assert logged_warnings == result.output["warnings"]
    in_log = [line["report"] for line in lines if "counts" in line or "warning" in line]
    assert in_log == [result.output["report"]] * 4
    for text in (json.dumps(result.output), logged.getvalue()):
        for personal in ("@", "example.com", "staging-", "production-", "google_117", "somebody"):
            assert personal not in text.replace("staging-sync", "").lower()


@pytest.mark.parametrize("flags", [{}, {"cognito_only": True}])
def test_a_dry_run_reports_what_a_run_would_do_and_writes_nothing(
    staging: Staging, flags: dict[str, bool]
) -> None:
    before = staging.row_versions()
    dry = staging.remap(*POOL, dry_run=True, **flags)
    assert staging.row_versions() == before

    real = staging.remap(*POOL, **flags)

    assert dry.lines == real.lines
    assert dry.output.pop("basis", None) == (None if flags else "before_sync")
    assert dry.output == real.output


def test_a_dry_run_lets_others_write_to_the_users(staging: Staging) -> None:
    writer = staging.database.connect()
    try:
        with writer.cursor() as cursor:
            cursor.execute("UPDATE users SET email = 'other@example.com' WHERE id = 1")

        result = staging.remap(*POOL, dry_run=True)
    finally:
        writer.close()

    assert result.output["updated"] == 2


def test_a_dry_run_reads_a_target_that_is_not_marked_and_warns(staging: Staging) -> None:
    staging.database.execute(f"COMMENT ON DATABASE {staging.database.name} IS NULL")

    result = staging.remap(*POOL, dry_run=True)

    assert result.output.items() >= COUNTS.items()
    assert "not marked as a sync target" in result.warnings


def test_an_empty_table_and_an_empty_pool_have_nothing_to_report(make_staging: MakeStaging) -> None:
    result = make_staging().remap()

    assert result.lines == []
    assert result.output.items() >= UNTOUCHED.items()

"""UpdateDb: a remap that matches nobody, or too few, is no silent success."""

import pytest

from common.errors import ConfigurationError
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import REPORT, PoolUser
from tests.support.bucket import stored_keys

ROWS = "INSERT INTO users VALUES (1, 'ana@x.org', 'p-1'), (2, 'bo@x.org', 'p-2')"
NOBODY = "Nobody was matched, though the table and the pool have people: "


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("rows", "pool", "why"),
    [
        (ROWS, [PoolUser("", "s-1"), PoolUser(" ", "s-2")], "no user of the pool has an email."),
        (
            "INSERT INTO users VALUES (1, 'Ana Lopez', 'p-1'), (2, NULL, 'p-2')",
            [PoolUser("ana@x.org", "s-1")],
            "no row has an @ in the column email. Correct email_column.",
        ),
        (ROWS, [PoolUser("ana@shop.example", "s-1")], "no address of the pool is in the table."),
    ],
)
def test_a_remap_that_matches_nobody_says_what_it_looks_like(
    make_staging: MakeStaging, rows: str, pool: list[PoolUser], why: str, *, dry_run: bool
) -> None:
    result = make_staging(rows).remap(*pool, dry_run=dry_run)

    assert f"{NOBODY}{why}" in result.warnings


@pytest.mark.parametrize(
    ("rows", "pool"),
    [
        ("", [PoolUser("ana@x.org", "s-1")]),
        (ROWS, []),
        (ROWS, [PoolUser("ana@x.org", "s-1")]),
        (ROWS, [PoolUser("ana@x.org", "s-1"), PoolUser("ana@x.org", "s-2")]),
    ],
)
def test_an_empty_side_or_one_person_in_common_is_no_such_case(
    make_staging: MakeStaging, rows: str, pool: list[PoolUser]
) -> None:
    assert NOBODY not in make_staging(rows).remap(*pool).warnings


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_remap_that_matches_too_few_writes_nothing(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool
) -> None:
    monkeypatch.setenv("MIN_MATCHED_PERCENT", "66.7")
    staging = make_staging(ROWS)
    before = staging.row_versions()
    pool = [PoolUser("ana@x.org", "s-1"), PoolUser("bo@x.org", "s-2"), PoolUser("cy@x.org", "s-3")]

    with pytest.raises(ConfigurationError, match=r"2 of 3 users .* 66\.7% of min_matched_percent"):
        staging.remap(*pool, PoolUser("", "s-4"), dry_run=dry_run)

    assert staging.row_versions() == before
    assert REPORT not in stored_keys(staging.s3)
    monkeypatch.setenv("MIN_MATCHED_PERCENT", "66.6")
    assert staging.remap(*pool, PoolUser("", "s-4"), dry_run=dry_run).counts["updated"] == 2


@pytest.mark.parametrize("value", ["101", "-1", "most", "1e1"])
def test_a_percentage_that_is_none_is_refused(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("MIN_MATCHED_PERCENT", value)

    with pytest.raises(ConfigurationError, match="MIN_MATCHED_PERCENT must be a number from 0"):
        make_staging(ROWS).remap(PoolUser("ana@x.org", "s-1"))


STRUCTURED = [
    "jsonb",
    "json",
    "bytea",
    "text[]",
    "public.point_pair",
    "public.documents",
    "int4range",
]
TYPES = (
    "CREATE TYPE point_pair AS (a text, b text);"
    "CREATE DOMAIN document AS jsonb; CREATE DOMAIN documents AS document"
)


@pytest.mark.parametrize("of_type", STRUCTURED)
def test_an_email_column_that_holds_no_single_text_is_refused(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, of_type: str
) -> None:
    staging = make_staging(f"{ROWS}; {TYPES}; ALTER TABLE users ADD other {of_type}")
    monkeypatch.setenv("EMAIL_COLUMN", "other")

    with pytest.raises(ConfigurationError) as caught:
        staging.remap(PoolUser("ana@x.org", "s-1"))

    assert f"column other is {of_type}, which holds no single text" in str(caught.value)
    assert "Nothing was written." in str(caught.value)


@pytest.mark.parametrize("of_type", [*STRUCTURED, "integer", "boolean"])
def test_a_sub_column_that_holds_no_sub_is_refused(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch, of_type: str
) -> None:
    staging = make_staging(f"{ROWS}; {TYPES}; ALTER TABLE users ADD other {of_type}")
    monkeypatch.setenv("SUB_COLUMN", "other")

    with pytest.raises(ConfigurationError) as caught:
        staging.remap(PoolUser("ana@x.org", "s-1"))

    assert f"column other is {of_type}, which holds no sub" in str(caught.value)
    assert "source" not in str(caught.value)
    assert "both schemas" not in str(caught.value)


def test_a_sub_column_that_is_generated_is_refused(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = make_staging(
        f"{ROWS}; ALTER TABLE users ADD other text GENERATED ALWAYS AS (lower(cognito_sub)) STORED"
    )
    monkeypatch.setenv("SUB_COLUMN", "other")

    with pytest.raises(ConfigurationError, match="column other is generated"):
        staging.remap(PoolUser("ana@x.org", "s-1"))

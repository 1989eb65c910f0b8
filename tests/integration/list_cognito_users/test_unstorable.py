"""A user of the pool with a value that PostgreSQL cannot store does not affect the others."""

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.list_cognito_users.pools import Pool, read_manifest, read_rows, user
from tests.integration.update_db.conftest import make_staging, use_database
from tests.integration.update_db.remapping import REPORT
from tests.support.bucket import BUCKET
from tests.support.cognito_users import ListedUsers, make_user

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.integration.update_db.conftest import MakeStaging

__all__ = ["make_staging", "use_database"]  # fixtures

SUB = "0000000f-0000-4000-a000-000000000000"
WARNING = "1 users of the pool were skipped: one of their attributes has a NUL or half a surrogate"


@pytest.mark.parametrize(
    ("broken", "username"),
    [
        (make_user(SUB, "ana\0@x.org", username="ana"), "ana"),
        (make_user(SUB, "ana\ud83d@x.org", username="ana"), "ana"),
        (make_user(SUB, "ana@x.org", username="an\0a"), r"an\u0000a"),
        (make_user(SUB, "ana@x.org", username="an\udc00a"), r"an\udc00a"),
        (make_user(SUB, "ana@x.org", username="ana", status="CON\0FIRMED"), "ana"),
    ],
)
def test_such_a_user_is_listed_without_an_email_counted_and_named_only_there(
    s3: "S3Client", pool: Pool, broken: dict[str, Any], username: str
) -> None:
    pool.service.users = ListedUsers([user(1), broken, user(2)])

    pool.list()

    rows = {row["sub"]: row for row in read_rows(s3)}
    assert len(rows) == 3
    assert (rows[SUB]["email"], rows[SUB]["username"]) == ("", username)
    (warning,) = read_manifest(s3).warnings
    assert warning.startswith(WARNING)
    assert "ana" not in warning


def test_the_count_survives_an_invocation_that_ends_early(s3: "S3Client", pool: Pool) -> None:
    broken = [
        make_user(f"{number:08x}-0000-4000-a000-000000000000", "a\0@x") for number in range(9)
    ]
    pool.service.users = ListedUsers(
        [*(user(each, f"{each % 16:x}") for each in range(90)), *broken]
    )

    assert pool.list_to_the_end(requests=9) > 1

    assert read_manifest(s3).warnings[0].startswith("9 users of the pool were skipped")


def test_the_others_are_remapped(
    s3: "S3Client",
    pool: Pool,
    make_staging: "MakeStaging",  # the fixture
) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'u1@example.com', 'p-1'), (2, 'ana@x.org', 'p-2')"
    )
    first = user(1)
    pool.service.users = ListedUsers([first, make_user(SUB, "ana\0@x.org")])
    pool.list()

    result = staging.remap_as_listed()

    assert staging.subs() == {1: first["Username"], 2: "p-2"}
    assert WARNING in result.warnings
    report = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=REPORT)["Body"].read()).decode()
    assert "the user of the pool has no email" in report

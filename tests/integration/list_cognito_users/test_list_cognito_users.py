"""ListCognitoUsers: what it writes and returns in one invocation."""

import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from common.manifest import Manifest, Part
from list_cognito_users.handler import handler
from list_cognito_users.listing import Listing
from list_cognito_users.tuning import Tuning
from tests.integration.list_cognito_users.pools import (
    EVENT,
    Pool,
    listed_subs,
    manifest_json,
    read_manifest,
    read_rows,
    spread,
    subs_of,
)
from tests.support.bucket import BUCKET, FOLDER, MANIFEST, stored_keys
from tests.support.cognito_service import CognitoService
from tests.support.cognito_users import GeneratedUsers, ListedUsers, make_user
from tests.support.lambda_context import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MODIFIED = "2026-02-02T02:40:00+00:00"


def test_a_pool_of_many_pages_is_listed_completely_in_parts_of_limited_size(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.users = GeneratedUsers(2_500)  # 157 or 156 for each digit

    result = pool.list(tuning=Tuning(users_per_part=100))

    expected = sorted(GeneratedUsers(2_500).sub(number) for number in range(2_500))
    assert listed_subs(s3) == expected
    assert result == Listing(BUCKET, MANIFEST, users=2_500, pages=16 * 3, done=True)
    manifest = read_manifest(s3)
    assert max(part.lines for part in manifest.parts) <= 100
    assert (manifest.users, manifest.pages) == (2_500, 16 * 3)


def test_the_manifest_names_the_parts_with_their_lines(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = spread(20)

    pool.list()

    content = manifest_json(s3)
    (part,) = content.pop("parts")
    assert content == {"users": 20, "pages": 1, "complete": True, "warnings": []}
    assert part["lines"] == 20
    assert re.fullmatch(rf"{FOLDER}/part-all-[0-9a-f]{{16}}\.csv\.gz", part["key"])
    assert stored_keys(s3) == [MANIFEST, part["key"]]


def test_the_handler_returns_where_the_listing_is(
    s3: "S3Client", service: CognitoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.users = spread(70)
    monkeypatch.setenv("LIST_USERS_RPS", "30")

    result = handler(EVENT, FakeContext())

    assert result == {
        "bucket": BUCKET,
        "manifest": MANIFEST,
        "users": 70,
        "pages": 16,
        "done": True,
    }
    assert listed_subs(s3) == subs_of(spread(70))


def test_motos_cognito_is_listed_too(
    s3: "S3Client", service: CognitoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
    monkeypatch.setenv("LIST_USERS_RPS", "30")
    cognito = boto3.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="staging")["UserPool"]["Id"]
    for number in range(61):
        cognito.admin_create_user(UserPoolId=pool_id, Username=f"user-{number}")
    monkeypatch.setenv("COGNITO_USER_POOL_ID", pool_id)

    result = handler(EVENT, FakeContext())

    assert result["users"] == 61
    assert sorted(row["username"] for row in read_rows(s3)) == sorted(
        f"user-{number}" for number in range(61)
    )
    assert service.arrivals == []


def test_a_row_has_what_the_pool_has_of_a_user(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = ListedUsers(
        [
            make_user("sub-1", "u1@example.com", username="name-1"),
            make_user(
                "sub-2",
                "u1@example.com",
                username="Google_117",
                status="EXTERNAL_PROVIDER",
                email_verified="false",
            ),
            make_user("sub-3", " O'\"Neill, J@Example.com\n", enabled=False, email_verified=None),
            make_user("sub-4", None, status="UNCONFIRMED"),
        ]
    )

    pool.list()

    assert [list(row.values()) for row in read_rows(s3)] == [
        ["u1@example.com", "sub-1", "name-1", "CONFIRMED", "true", "true", MODIFIED],
        ["u1@example.com", "sub-2", "Google_117", "EXTERNAL_PROVIDER", "true", "false", MODIFIED],
        [" O'\"Neill, J@Example.com\n", "sub-3", "sub-3", "CONFIRMED", "false", "", MODIFIED],
        ["", "sub-4", "sub-4", "UNCONFIRMED", "true", "", MODIFIED],
    ]


def test_a_part_begins_with_the_columns_names(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = ListedUsers([make_user("sub-1", "u1@example.com")])

    pool.list()

    (part,) = read_manifest(s3).parts
    content = s3.get_object(Bucket=BUCKET, Key=part.key)["Body"].read()
    assert gzip.decompress(content).decode().splitlines() == [
        "email,sub,username,status,enabled,email_verified,last_modified",
        f"u1@example.com,sub-1,sub-1,CONFIRMED,true,true,{MODIFIED}",
    ]


def test_an_empty_pool_has_a_manifest_without_parts(s3: "S3Client", pool: Pool) -> None:
    result = pool.list()

    assert (result.users, result.pages) == (0, 1)
    assert read_manifest(s3) == Manifest(parts=(), users=0, pages=1)
    assert stored_keys(s3) == [MANIFEST]


def test_each_part_is_there_before_a_manifest_names_it(
    s3: "S3Client", pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.service.users = spread(200)
    pool.service.page_sizes = (5,)
    named_too_early: set[str] = set()
    put_object = s3.put_object

    def look_first(**request: Any) -> object:
        if request["Key"] == MANIFEST:
            named = {part["key"] for part in json.loads(request["Body"])["parts"]}
            named_too_early.update(named - set(stored_keys(s3)))
        return put_object(**request)

    monkeypatch.setattr(s3, "put_object", look_first)
    pool.list_to_the_end(requests=30, tuning=Tuning(users_per_part=5))

    assert named_too_early == set()
    assert len(read_manifest(s3).parts) >= 40


def test_a_second_listing_replaces_the_first(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = spread(100)
    pool.list()
    before = read_manifest(s3)
    pool.service.users = spread(90)

    pool.list()

    assert listed_subs(s3) == subs_of(spread(90))
    assert {part.key for part in before.parts}.isdisjoint(_keys(read_manifest(s3).parts))


def _keys(of: tuple[Part, ...]) -> set[str]:
    return {part.key for part in of}


@pytest.mark.parametrize(
    ("listed", "estimate", "warns"),
    [
        (0, 60, False),
        (0, 61, True),
        (50, 110, False),  # 60 short
        (50, 111, True),
        (1_201, 1_264, False),  # 63 short, 5% are 63.2
        (1_201, 1_265, True),  # 64 short, 5% are 63.25
        (100, 0, False),
        (100, 100, False),
    ],
)
def test_a_listing_much_shorter_than_cognitos_estimate_gives_a_warning(
    s3: "S3Client", pool: Pool, listed: int, estimate: int, warns: bool
) -> None:
    pool.service.users = GeneratedUsers(listed)
    pool.service.estimate = estimate

    result = pool.list()

    assert (result.users, result.done) == (listed, True)
    warnings = read_manifest(s3).warnings
    assert len(warnings) == warns
    assert all(
        f"has {listed} users where Cognito estimates {estimate}" in each for each in warnings
    )


def test_neither_the_result_nor_the_log_names_a_person(pool: Pool, logged: io.StringIO) -> None:
    pool.service.users = GeneratedUsers(2)

    result = handler(EVENT, FakeContext())

    started, line = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (started["message"], line["message"]) == ("started", "listed the user pool")
    assert (line["users"], line["pages"], line["parts"]) == (2, 1, 1)
    assert line["execution"] == "run-1"
    for personal in ("user0@example.com", "user1@example.com", *map(GeneratedUsers(2).sub, (0, 1))):
        assert personal not in json.dumps(result)
        assert personal not in logged.getvalue()


def test_a_long_listing_logs_its_progress(pool: Pool, logged: io.StringIO) -> None:
    pool.service.users = spread(320)

    pool.list(tuning=Tuning(pages_per_log=10))

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["listing", "listed the user pool"]
    # Ten pages were handled by then. Other threads may have read more that wait to be handled.
    assert 0 < lines[0]["pages"] <= lines[1]["pages"]
    assert "example.com" not in logged.getvalue()

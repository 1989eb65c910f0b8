"""ListCognitoUsers: what it writes and returns."""

import gzip
import io
import json
import tracemalloc
from typing import IO, TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.stub import Stubber

from common.errors import CognitoUnavailable
from common.exchange import Exchange
from common.manifest import Manifest
from list_cognito_users import listing
from list_cognito_users.handler import handler
from list_cognito_users.listing import Listing, UserPool, list_users
from tests.integration.bucket import BUCKET, FOLDER, MANIFEST, stored_keys
from tests.integration.list_cognito_users.cognito_pool import (
    EVENT,
    POOL,
    add_pages,
    read_manifest,
    read_rows,
    sign_up,
    user,
)
from tests.statemachine.lambdas import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_s3 import S3Client


def test_a_pool_of_several_pages_is_listed_whole_in_several_parts(
    s3: "S3Client",
    cognito: "CognitoIdentityProviderClient",
    pool_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subs = sign_up(cognito, pool_id, *(f"u{number}@example.com" for number in range(130)))
    monkeypatch.setattr(listing, "USERS_PER_PART", 50)

    result = handler(EVENT, FakeContext())

    assert result == {
        "bucket": BUCKET,
        "manifest": MANIFEST,
        "users": 130,
        "pages": 3,
        "done": True,
    }
    assert {row["email"]: row["sub"] for row in read_rows(s3)} == subs
    content = json.loads(s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read())
    assert content == {
        "parts": [
            {"key": f"{FOLDER}/part-00001.csv.gz", "lines": 50},
            {"key": f"{FOLDER}/part-00002.csv.gz", "lines": 50},
            {"key": f"{FOLDER}/part-00003.csv.gz", "lines": 30},
        ],
        "users": 130,
        "pages": 3,
        "complete": True,
    }


def test_a_row_holds_what_the_pool_knows_of_a_user(
    s3: "S3Client",
    cognito: "CognitoIdentityProviderClient",
    exchange: Exchange,
    stub: Stubber,
) -> None:
    federated = user(2, email_verified="false") | {
        "Username": "google_117",
        "UserStatus": "EXTERNAL_PROVIDER",
    }
    without_email = user(4) | {"Attributes": [{"Name": "sub", "Value": "sub-4"}]}
    add_pages(
        stub,
        [
            user(1, email_verified="true"),
            federated,
            user(3, email=" O'\"Neill, J@Example.com\n") | {"Enabled": False},
            without_email,
        ],
    )

    list_users(UserPool(cognito, POOL), exchange)

    assert [list(row.values()) for row in read_rows(s3)] == [
        ["u1@example.com", "sub-1", "name-1", "CONFIRMED", "true", "true", _NOON],
        ["u2@example.com", "sub-2", "google_117", "EXTERNAL_PROVIDER", "true", "false", _NOON],
        [" O'\"Neill, J@Example.com\n", "sub-3", "name-3", "CONFIRMED", "false", "", _NOON],
        ["", "sub-4", "name-4", "CONFIRMED", "true", "", _NOON],
    ]


_NOON = "2026-03-01T10:00:00+00:00"  # in UTC


def test_a_part_begins_with_the_columns_names(
    s3: "S3Client",
    cognito: "CognitoIdentityProviderClient",
    exchange: Exchange,
    stub: Stubber,
) -> None:
    add_pages(stub, [user(1)])

    list_users(UserPool(cognito, POOL), exchange)

    part = s3.get_object(Bucket=BUCKET, Key=f"{FOLDER}/part-00001.csv.gz")["Body"].read()
    assert gzip.decompress(part).decode().splitlines() == [
        "email,sub,username,status,enabled,email_verified,last_modified",
        f"u1@example.com,sub-1,name-1,CONFIRMED,true,,{_NOON}",
    ]


def test_an_empty_page_is_not_the_end(
    s3: "S3Client",
    cognito: "CognitoIdentityProviderClient",
    exchange: Exchange,
    stub: Stubber,
) -> None:
    add_pages(stub, [], [user(1)], [], [], [user(2)], [])

    result = list_users(UserPool(cognito, POOL), exchange)

    assert result == Listing(BUCKET, MANIFEST, users=2, pages=6, done=True)
    assert [row["sub"] for row in read_rows(s3)] == ["sub-1", "sub-2"]


def test_an_empty_pool_has_a_manifest_without_parts(s3: "S3Client", pool_id: str) -> None:  # noqa: ARG001  # the pool exists
    result = handler(EVENT, FakeContext())

    assert (result["users"], result["pages"]) == (0, 1)
    assert read_manifest(s3) == Manifest(parts=(), users=0, pages=1)
    assert stored_keys(s3) == [MANIFEST]


def test_a_part_of_a_longer_listing_that_failed_is_not_in_the_manifest(
    s3: "S3Client",
    cognito: "CognitoIdentityProviderClient",
    exchange: Exchange,
    stub: Stubber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "USERS_PER_PART", 2)
    add_pages(stub, [user(1), user(2)], [user(3), user(4)], [user(5), user(6)], more=True)
    stub.add_client_error("list_users", "TooManyRequestsException", http_status_code=400)
    with pytest.raises(CognitoUnavailable):
        list_users(UserPool(cognito, POOL), exchange)
    assert MANIFEST not in stored_keys(s3), "a listing that failed has none"

    add_pages(stub, [user(1), user(2)], [user(4)])
    list_users(UserPool(cognito, POOL), exchange)

    assert [row["sub"] for row in read_rows(s3)] == ["sub-1", "sub-2", "sub-4"]
    stale = set(stored_keys(s3)) - {part.key for part in read_manifest(s3).parts} - {MANIFEST}
    assert stale == {f"{FOLDER}/part-00003.csv.gz"}


def test_neither_the_result_nor_the_log_names_a_person(
    cognito: "CognitoIdentityProviderClient", pool_id: str, logged: io.StringIO
) -> None:
    subs = sign_up(cognito, pool_id, "jane@example.com", "joe@example.com")

    result = handler(EVENT, FakeContext())

    (line,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert line["message"] == "listed the user pool"
    assert (line["users"], line["pages"], line["parts"]) == (2, 1, 1)
    assert line["execution"] == "run-1"
    for personal in (*subs, *subs.values(), "user-1", "user-2"):
        assert personal not in json.dumps(result)
        assert personal not in logged.getvalue()


def test_memory_does_not_grow_with_the_pool(
    cognito: "CognitoIdentityProviderClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "USERS_PER_PART", 600)

    small = _peak_memory(cognito, pages=20)
    large = _peak_memory(cognito, pages=200)

    assert large < small * 1.5


class DiscardingExchange(Exchange):
    """Moto keeps what it is given in this process's memory."""

    def upload(self, name: str, content: IO[bytes]) -> str:
        assert content.getbuffer().nbytes, name  # type: ignore[attr-defined]  # a BytesIO
        return self.uri(name)

    def write_json(self, name: str, content: Any) -> str:
        assert content["complete"]
        return self.uri(name)


def _peak_memory(cognito: "CognitoIdentityProviderClient", *, pages: int) -> int:
    """Return the most bytes that the listing of so many pages held at once."""

    def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
        page = next(numbers)
        users = [user(page * 60 + each) for each in range(60)]
        token = {"PaginationToken": f"token-{page}"} if page < pages else {}
        return AWSResponse("", 200, HTTPHeaders(), None), {"Users": users, **token}

    numbers = iter(range(1, pages + 1))
    event = "before-call.cognito-idp.ListUsers"
    cognito.meta.events.register_first(event, answer, unique_id="pages")  # type: ignore[arg-type]  # the stubs do not know that this event takes an answer
    exchange = DiscardingExchange(boto3.client("s3"), BUCKET, "run-1")
    tracemalloc.start()
    try:
        result = list_users(UserPool(cognito, POOL), exchange)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        cognito.meta.events.unregister(event, unique_id="pages")
    assert (result.pages, result.users) == (pages, pages * 60)
    return peak

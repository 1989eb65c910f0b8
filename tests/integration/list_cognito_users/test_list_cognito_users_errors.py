"""ListCognitoUsers: which of our errors Cognito's and S3's errors become."""

import io
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from common.aws.exchange import Exchange
from common.errors import CognitoUnavailable, ConfigurationError, InvalidInput, StagingSyncError
from list_cognito_users.handler import handler
from list_cognito_users.listing import list_users
from list_cognito_users.pool import COGNITO_CONFIG, UserPool
from list_cognito_users.rate import RateLimiter
from tests.integration.list_cognito_users.pools import (
    EVENT,
    FAST,
    NO_PATIENCE,
    Pool,
    read_manifest,
    spread,
)
from tests.support.bucket import BUCKET, MANIFEST, REGION, stored_keys
from tests.support.cognito_server import Server
from tests.support.cognito_service import DROPPED, POOL_ID, CognitoService, Failure
from tests.support.cognito_users import ListedUsers, make_user
from tests.support.lambda_context import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def test_a_user_without_a_sub_is_an_error_and_not_skipped(s3: "S3Client", pool: Pool) -> None:
    nameless = make_user("", "u2@example.com", username="name-2")
    pool.service.users = ListedUsers([make_user("sub-1", None), nameless])
    pool.service.page_sizes = (1,)

    with pytest.raises(StagingSyncError, match=r"Page 2 .* without a sub") as caught:
        pool.list()

    assert "u2@example.com" not in str(caught.value)
    assert "name-2" not in str(caught.value)
    assert stored_keys(s3) == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 400),
        ("ThrottlingException", 400),
        ("InternalErrorException", 500),
        ("ServiceUnavailable", 503),
    ],
)
def test_a_pool_that_throttles_or_fails_is_unavailable(
    s3: "S3Client", pool: Pool, code: str, status: int
) -> None:
    pool.service.interfere = lambda _: Failure(code, "about jane@example.com", status)

    with pytest.raises(CognitoUnavailable, match=f"{POOL_ID}.*{code}") as caught:
        pool.list(tuning=NO_PATIENCE)

    assert "jane@example.com" not in str(caught.value)
    assert stored_keys(s3) == [], "nothing is listed yet"


def test_a_pool_that_drops_connections_is_unavailable(pool: Pool) -> None:
    pool.service.interfere = lambda _: DROPPED

    with pytest.raises(CognitoUnavailable, match=f"{POOL_ID}.*ConnectionClosedError"):
        pool.list(tuning=NO_PATIENCE)


def test_a_pool_that_names_the_same_page_as_the_next_one_is_unavailable(pool: Pool) -> None:
    pool.service.users = spread(160)
    pool.service.page_sizes = (3,)
    pool.service.is_stuck = True

    with pytest.raises(CognitoUnavailable, match=f"{POOL_ID}.*same pagination token"):
        pool.list(tuning=NO_PATIENCE)


@pytest.mark.parametrize(
    "code",
    [
        "ResourceNotFoundException",
        "AccessDeniedException",
        "NotAuthorizedException",
        "InvalidParameterException",
        "UnrecognizedClientException",
    ],
)
def test_a_pool_that_refuses_is_a_configuration_error(pool: Pool, code: str) -> None:
    pool.service.interfere = lambda _: Failure(code)

    with pytest.raises(ConfigurationError, match=rf"{POOL_ID} \({REGION}\): {code}"):
        pool.list()

    assert len(pool.service.arrivals) == 1, "it is not retried"


def test_a_pool_that_refuses_in_the_middle_ends_the_listing_at_once(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.users = spread(2_000)
    pool.service.interfere = lambda call: (
        Failure("AccessDeniedException") if call.number == 20 else None
    )

    with pytest.raises(ConfigurationError, match="AccessDeniedException"):
        pool.list()

    assert len(pool.service.arrivals) < 20 + 16
    assert MANIFEST not in stored_keys(s3)


def test_a_pool_that_does_not_exist_is_named(
    s3: "S3Client", service: CognitoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.users = spread(1)
    monkeypatch.setenv("COGNITO_USER_POOL_ID", f"{REGION}_elsewhere")

    with pytest.raises(ConfigurationError, match=f"{REGION}_elsewhere.*ResourceNotFoundException"):
        handler(EVENT, FakeContext())

    assert stored_keys(s3) == []


def test_an_id_that_the_sdk_rejects_is_a_configuration_error(pool: Pool) -> None:
    with pytest.raises(ConfigurationError, match="ParamValidationError"):
        list_users(UserPool(pool.client, ""), pool.exchange, RateLimiter(FAST), lambda: 10.0)


def test_a_pool_that_cannot_be_reached_is_unavailable(exchange: Exchange) -> None:
    with socket.socket() as bound:  # bound, but not listening: a connection is refused
        bound.bind(("127.0.0.1", 0))
        server = Server(f"http://127.0.0.1:{bound.getsockname()[1]}")
        pool = UserPool(server.client(COGNITO_CONFIG), POOL_ID)

        with pytest.raises(CognitoUnavailable, match=f"{POOL_ID}.*EndpointConnectionError"):
            list_users(pool, exchange, RateLimiter(FAST), lambda: 10.0, NO_PATIENCE)


def test_a_missing_estimate_is_a_warning_and_no_failure(
    s3: "S3Client", pool: Pool, logged: io.StringIO
) -> None:
    pool.service.users = spread(5)
    pool.service.describe_failure = Failure("TooManyRequestsException")

    result = pool.list()

    assert (result.users, result.done) == (5, True)
    (warning,) = read_manifest(s3).warnings
    assert "5 users listed were not compared" in warning
    assert "5 users listed were not compared" in logged.getvalue()


def test_a_role_that_may_not_read_the_estimate_is_a_configuration_error(pool: Pool) -> None:
    pool.service.describe_failure = Failure("AccessDeniedException")

    with pytest.raises(ConfigurationError, match="AccessDeniedException"):
        pool.list()


@pytest.mark.parametrize("value", ["", None])
@pytest.mark.usefixtures("service")
def test_without_a_configured_pool_the_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("COGNITO_USER_POOL_ID")
    if value is not None:
        monkeypatch.setenv("COGNITO_USER_POOL_ID", value)

    with pytest.raises(ConfigurationError, match=r"No Cognito user pool .* user_pool_id in cdk"):
        handler(EVENT, FakeContext())


@pytest.mark.parametrize("value", ["0", "-1", "30.1", "nan", "inf", "fast", "1,5", "20/s"])
def test_an_invalid_rate_is_refused_before_anything_else(
    service: CognitoService, s3: "S3Client", monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LIST_USERS_RPS", value)

    with pytest.raises(ConfigurationError, match=f'LIST_USERS_RPS is "{value}".*list_users_rps'):
        handler(EVENT, FakeContext())

    assert service.arrivals == []
    assert stored_keys(s3) == []


@pytest.mark.usefixtures("service")
def test_a_missing_bucket_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_BUCKET", "no-such-bucket")

    with pytest.raises(ConfigurationError, match=f"s3://no-such-bucket/{MANIFEST}: NoSuchBucket"):
        handler(EVENT, FakeContext())


def test_a_bad_input_is_refused_before_anything_else(
    service: CognitoService, s3: "S3Client"
) -> None:
    with pytest.raises(InvalidInput, match='"sync_congito"'):
        handler({"execution": "run-1", "input": {"sync_congito": True}}, FakeContext())

    assert service.arrivals == []
    assert stored_keys(s3) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{}", '{"complete": false}', '{"complete": false, "parts": [{}]}']
)
def test_a_manifest_that_is_not_ours_is_refused(s3: "S3Client", pool: Pool, content: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=MANIFEST, Body=content.encode())

    with pytest.raises(ConfigurationError, match=f"s3://{BUCKET}/{MANIFEST} is not a listing's"):
        pool.list()


def test_a_role_that_may_not_list_the_bucket_treats_access_denied_as_a_missing_manifest(
    s3: "S3Client", pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forbid_reading(s3, monkeypatch, lambda key: key not in stored_keys(s3))
    pool.service.users = spread(100)

    assert pool.list_to_the_end(requests=10) == 2


def test_a_role_that_may_not_read_its_manifest_does_not_restart_the_listing_forever(
    s3: "S3Client", pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forbid_reading(s3, monkeypatch, lambda _: True)
    pool.service.users = spread(100)

    with pytest.raises(ConfigurationError, match=f"read s3://{BUCKET}/{MANIFEST}: AccessDenied"):
        pool.list(requests=5)


def _forbid_reading(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch, is_forbidden: Callable[[str], bool]
) -> None:
    """Answer as S3 does if a role lacks a permission; moto does not check them."""
    get_object = s3.get_object

    def answer(*, Bucket: str, Key: str) -> object:  # noqa: N803  # boto3's names
        if is_forbidden(Key):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
        return get_object(Bucket=Bucket, Key=Key)

    monkeypatch.setattr(s3, "get_object", answer)

"""ListCognitoUsers: how Cognito's and S3's errors are named."""

import io
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.stub import Stubber

from common.aws import CLIENT_CONFIG
from common.errors import CognitoUnavailable, ConfigurationError, InvalidInput, StagingSyncError
from common.exchange import Exchange
from list_cognito_users.handler import handler
from list_cognito_users.listing import UserPool, list_users
from tests.integration.bucket import MANIFEST, REGION, stored_keys
from tests.integration.list_cognito_users.cognito_pool import (
    EVENT,
    POOL,
    add_pages,
    sign_up,
    user,
)
from tests.statemachine.lambdas import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_s3 import S3Client


def test_a_user_without_a_sub_is_an_error_and_not_skipped(
    s3: "S3Client",
    cognito: "CognitoIdentityProviderClient",
    exchange: Exchange,
    stub: Stubber,
) -> None:
    add_pages(stub, [user(1)], [user(2, sub="")])

    with pytest.raises(StagingSyncError, match=r"Page 2 .* without a sub") as caught:
        list_users(UserPool(cognito, POOL), exchange)

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
    cognito: "CognitoIdentityProviderClient",
    exchange: Exchange,
    stub: Stubber,
    code: str,
    status: int,
) -> None:
    stub.add_client_error("list_users", code, "about jane@example.com", http_status_code=status)

    with pytest.raises(CognitoUnavailable, match=f"{POOL}.*{code}") as caught:
        list_users(UserPool(cognito, POOL), exchange)

    assert "jane@example.com" not in str(caught.value)


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
def test_a_pool_that_refuses_is_a_matter_of_configuration(
    cognito: "CognitoIdentityProviderClient", exchange: Exchange, stub: Stubber, code: str
) -> None:
    stub.add_client_error("list_users", code, http_status_code=400)

    with pytest.raises(ConfigurationError, match=rf"{POOL} \({REGION}\): {code}"):
        list_users(UserPool(cognito, POOL), exchange)


def test_a_pool_that_does_not_exist_is_named(
    s3: "S3Client",
    pool_id: str,  # noqa: ARG001  # sets the bucket
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COGNITO_USER_POOL_ID", f"{REGION}_elsewhere")

    with pytest.raises(ConfigurationError, match=f"{REGION}_elsewhere.*ResourceNotFoundException"):
        handler(EVENT, FakeContext())

    assert stored_keys(s3) == []


def test_an_id_that_the_sdk_rejects_is_a_matter_of_configuration(
    cognito: "CognitoIdentityProviderClient", exchange: Exchange
) -> None:
    with pytest.raises(ConfigurationError, match="ParamValidationError"):
        list_users(UserPool(cognito, ""), exchange)


def test_throttling_that_passes_does_not_fail_the_listing(
    cognito: "CognitoIdentityProviderClient",
    pool_id: str,
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The SDK's backoff, which takes seconds. Its rate limiter still waits for a moment.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    sign_up(cognito, pool_id, "jane@example.com")
    throttled = iter([_throttling_answer(), _throttling_answer()])
    cognito.meta.events.register_first(
        "before-send.cognito-idp.ListUsers",
        lambda **_: next(throttled, None),  # type: ignore[arg-type]  # the stubs do not know that this event takes an answer
    )

    result = list_users(UserPool(cognito, pool_id), exchange)

    assert result.users == 1
    assert next(throttled, None) is None, "both were met"


def _throttling_answer() -> AWSResponse:
    body = io.BytesIO(b'{"__type": "TooManyRequestsException", "message": "Rate exceeded"}')
    raw = SimpleNamespace(stream=lambda **_: iter([body.read()]))
    return AWSResponse(f"https://cognito-idp.{REGION}.amazonaws.com", 400, HTTPHeaders(), raw)


def test_a_pool_that_cannot_be_reached_is_unavailable(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    with socket.socket() as bound:  # bound, but not listening: a connection is refused
        bound.bind(("127.0.0.1", 0))
        client = boto3.client(
            "cognito-idp",
            config=CLIENT_CONFIG,
            endpoint_url=f"http://127.0.0.1:{bound.getsockname()[1]}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

        with pytest.raises(CognitoUnavailable, match=f"{POOL}.*EndpointConnectionError"):
            list_users(UserPool(client, POOL), exchange)


@pytest.mark.parametrize("value", ["", None])
def test_without_a_configured_pool_the_setting_is_named(
    pool_id: str,  # noqa: ARG001  # sets the bucket
    monkeypatch: pytest.MonkeyPatch,
    value: str | None,
) -> None:
    monkeypatch.delenv("COGNITO_USER_POOL_ID")
    if value is not None:
        monkeypatch.setenv("COGNITO_USER_POOL_ID", value)

    with pytest.raises(ConfigurationError, match=r"No Cognito user pool .* user_pool_id in cdk"):
        handler(EVENT, FakeContext())


def test_a_missing_bucket_is_named(pool_id: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  # the pool exists
    monkeypatch.setenv("EXCHANGE_BUCKET", "no-such-bucket")

    with pytest.raises(ConfigurationError, match=f"s3://no-such-bucket/{MANIFEST}: NoSuchBucket"):
        handler(EVENT, FakeContext())


def test_a_bad_input_is_refused_before_anything_else(s3: "S3Client") -> None:
    with pytest.raises(InvalidInput, match='"sync_congito"'):
        handler({"execution": "run-1", "input": {"sync_congito": True}}, FakeContext())

    assert stored_keys(s3) == []

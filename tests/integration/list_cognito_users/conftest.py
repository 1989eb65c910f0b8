"""A pool in moto's Cognito, and a stub for what moto cannot answer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from common.aws import CLIENT_CONFIG
from tests.integration.bucket import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def cognito(s3: "S3Client") -> "CognitoIdentityProviderClient":  # noqa: ARG001  # within its mock
    return boto3.client("cognito-idp", config=CLIENT_CONFIG)


@pytest.fixture
def pool_id(cognito: "CognitoIdentityProviderClient", monkeypatch: pytest.MonkeyPatch) -> str:
    pool_id = cognito.create_user_pool(PoolName="staging")["UserPool"]["Id"]
    monkeypatch.setenv("COGNITO_USER_POOL_ID", pool_id)
    monkeypatch.setenv("EXCHANGE_BUCKET", BUCKET)
    return pool_id


@pytest.fixture
def stub(cognito: "CognitoIdentityProviderClient") -> Iterator[Stubber]:
    with Stubber(cognito) as stub:
        yield stub
        stub.assert_no_pending_responses()

"""A pool in moto's Cognito, a bucket in moto's S3, and a stub for what moto cannot answer."""

import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from common.aws import CLIENT_CONFIG
from common.exchange import Exchange
from common.log import logger
from tests.integration.list_cognito_users.cognito_pool import BUCKET, REGION

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield client


@pytest.fixture
def exchange(s3: "S3Client") -> Exchange:
    return Exchange(s3, BUCKET, "run-1")


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


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the Lambda's logger writes, as it writes it."""
    text = io.StringIO()
    log_handler = logging.StreamHandler(text)
    log_handler.setFormatter(logger.registered_formatter)
    logger.addHandler(log_handler)
    yield text
    logging.getLogger("staging-sync").removeHandler(log_handler)

"""A simulated Cognito: one server for all tests of a run, and a new pool for each test."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from common.aws.exchange import Exchange
from list_cognito_users.pool import COGNITO_CONFIG
from tests.integration.list_cognito_users.pools import Pool
from tests.support.bucket import BUCKET
from tests.support.cognito_server import Server, serving
from tests.support.cognito_service import POOL_ID, CognitoService
from tests.support.cognito_users import ListedUsers

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


@pytest.fixture(scope="session")
def cognito_server() -> Iterator[Server]:
    with serving(CognitoService(ListedUsers())) as server:
        yield server


@pytest.fixture(scope="session")
def cognito(cognito_server: Server) -> "CognitoIdentityProviderClient":
    return cognito_server.client(COGNITO_CONFIG)


@pytest.fixture
def service(
    cognito_server: Server, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> CognitoService:
    """An empty pool without a quota, which the Lambda's settings name."""
    for name, value in {
        "COGNITO_USER_POOL_ID": POOL_ID,
        "EXCHANGE_BUCKET": exchange.bucket,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": cognito_server.url,
    }.items():
        monkeypatch.setenv(name, value)
    return cognito_server.replace(CognitoService(ListedUsers(), quota=float("inf")))


@pytest.fixture
def pool(
    service: CognitoService, cognito: "CognitoIdentityProviderClient", exchange: Exchange
) -> Pool:
    assert exchange.bucket == BUCKET
    return Pool(service, cognito, exchange)

"""A staging database with a users table, its secret, and the Lambda's settings."""

import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
import pytest

from common.aws.exchange import Exchange
from sandbox.database import Database
from tests.integration.update_db.remapping import USERS, Staging
from tests.support.bucket import BUCKET
from tests.support.databases import Databases
from tests.support.masked_emails import KEY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SETTINGS = (
    "USERS_TABLE",
    "EMAIL_COLUMN",
    "SUB_COLUMN",
    "REQUIRE_VERIFIED_EMAIL",
    "RELEASE_MISMATCHED",
    "MIN_MATCHED_PERCENT",
    "USERS_WHERE",
    "FOLLOW",
    "EMAIL_MASK",
    "MASK_KEY_SECRET_ARN",
)

type MakeStaging = Callable[..., Staging]
type UseDatabase = Callable[..., None]
type UseMask = Callable[..., None]
type UseFollow = Callable[[object], None]


@pytest.fixture
def use_database(
    s3: "S3Client",  # noqa: ARG001  # within its mock
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Database, str], None]:
    """Let the Lambda's secret name a database and a role."""

    def use(database: Database, role: str = "postgres") -> None:
        secret = {
            "host": str(database.server.socket_dir),
            "port": 5432,
            "username": role,
            "password": "Tr0ub4dor&3",
            "dbname": database.name,
        }
        client = boto3.client("secretsmanager")
        name = f"{database.name}-{role}"
        arn = client.create_secret(Name=name, SecretString=json.dumps(secret))["ARN"]
        monkeypatch.setenv("STAGING_SECRET_ARN", arn)

    return use


@pytest.fixture
def make_staging(
    databases: Databases,
    s3: "S3Client",
    exchange: Exchange,
    use_database: Callable[[Database], None],
    monkeypatch: pytest.MonkeyPatch,
) -> MakeStaging:
    """Make a marked staging database with rows, and settings that name it."""
    monkeypatch.setenv("EXCHANGE_BUCKET", BUCKET)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)

    def make(
        rows: str = "",
        schema: str = USERS,
        on: Databases = databases,
        of: Database | None = None,
    ) -> Staging:
        database = of or on.make(schema, rows)
        database.mark()
        use_database(database)
        return Staging(database, s3, exchange)

    return make


@pytest.fixture
def use_mask(
    make_staging: MakeStaging,  # noqa: ARG001  # it unsets the variables
    monkeypatch: pytest.MonkeyPatch,
) -> UseMask:
    """Let the Lambda mask addresses by a rule and a key."""

    def use(rule: object, key: str = KEY) -> None:
        monkeypatch.setenv("EMAIL_MASK", json.dumps(rule))
        client = boto3.client("secretsmanager")
        name = f"mask-key-{uuid.uuid4()}"
        arn = client.create_secret(Name=name, SecretString=key)["ARN"]
        monkeypatch.setenv("MASK_KEY_SECRET_ARN", arn)

    return use


@pytest.fixture
def use_follow(
    make_staging: MakeStaging,  # noqa: ARG001  # it unsets the variables
    monkeypatch: pytest.MonkeyPatch,
) -> UseFollow:
    """Let the Lambda have the rule "follow" with this value."""

    def use(rule: object) -> None:
        monkeypatch.setenv("FOLLOW", json.dumps(rule))

    return use

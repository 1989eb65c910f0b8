"""A database's address from a secret and the settings, or from the settings alone."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws

from common.aws.databases import database_of
from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress
from db_sync.environment import DbSyncEnvironment

REGION = "eu-west-1"
RDS_MANAGED = {"username": "postgres", "password": "Tr0ub4dor&3"}
IAM = {
    "auth": "iam",
    "host": "prod.c0ffee.eu-central-1.rds.amazonaws.com",
    "port": "5433",
    "dbname": "shop",
    "username": "staging_sync_reader",
    "region": "eu-central-1",
}
ROLE = "arn:aws:iam::444455556666:role/staging-sync-reads"
BUNDLE = "/opt/database-ca.pem"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        monkeypatch.setenv("AWS_REGION", REGION)
        monkeypatch.setenv("EXCHANGE_BUCKET", "exchange")
        yield


def production() -> DatabaseAddress:
    """Return production's database as DbSync finds it."""
    return database_of(DbSyncEnvironment.read().production)


def set_secret(monkeypatch: pytest.MonkeyPatch, secret: dict[str, Any]) -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    created = client.create_secret(Name="rds!db-0a1b2c3d", SecretString=json.dumps(secret))
    monkeypatch.setenv("PROD_SECRET_ARN", created["ARN"])


def set_database(
    monkeypatch: pytest.MonkeyPatch, database: dict[str, Any], ca_bundle: str = BUNDLE
) -> None:
    monkeypatch.setenv("PROD_DATABASE", json.dumps(database))
    monkeypatch.setenv("DATABASE_CA_BUNDLE", ca_bundle)


def test_the_settings_fill_what_a_secret_that_rds_manages_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_secret(monkeypatch, RDS_MANAGED)
    set_database(monkeypatch, {"host": "db.example.com", "port": "5433", "dbname": "shop"})

    address = production()

    assert str(address) == "db.example.com:5433/shop"
    assert (address.parameters["user"], address.parameters["password"]) == (
        "postgres",
        "Tr0ub4dor&3",
    )
    assert address.parameters["sslmode"] == "verify-full"


def test_the_settings_take_precedence_over_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {"host": "writer.example.com", "port": 5432, "dbname": "shop"}
    set_secret(monkeypatch, {**RDS_MANAGED, **theirs})
    set_database(monkeypatch, {"host": "replica.example.com", "port": "5433"})

    assert str(production()) == "replica.example.com:5433/shop"


def test_what_a_secret_lacks_is_named_with_the_setting_that_fills_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_secret(monkeypatch, RDS_MANAGED)

    with pytest.raises(ConfigurationError, match=r"lacks host, dbname.*prod_database") as refusal:
        production()

    assert "Tr0ub4dor&3" not in str(refusal.value)


def test_the_form_of_what_the_settings_say_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    set_secret(monkeypatch, RDS_MANAGED)
    set_database(monkeypatch, {"host": "u:Tr0ub4dor&3@h", "dbname": "shop"})

    with pytest.raises(ConfigurationError, match="host must be a host's name") as refusal:
        production()

    assert "Tr0ub4dor&3" not in str(refusal.value)


def test_a_secret_that_was_rotated_is_read_again_with_the_same_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_secret(monkeypatch, RDS_MANAGED)
    set_database(monkeypatch, {"host": "db.example.com", "dbname": "shop"})
    address = production()
    rotated = json.dumps({**RDS_MANAGED, "password": "another"})
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(
        SecretId="rds!db-0a1b2c3d", SecretString=rotated
    )

    assert address.read_again is not None
    again = address.read_again()

    assert (str(again), again.parameters["password"]) == ("db.example.com:5432/shop", "another")


def test_with_iam_a_token_for_that_endpoint_and_user_is_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_database(monkeypatch, IAM)

    login = production().login()

    assert (login["user"], login["sslmode"]) == ("staging_sync_reader", "verify-full")
    signed = urlsplit(f"//{login['password']}")
    assert signed.netloc == "prod.c0ffee.eu-central-1.rds.amazonaws.com:5433"
    query = parse_qs(signed.query)
    assert (query["Action"], query["DBUser"]) == (["connect"], ["staging_sync_reader"])
    assert "/eu-central-1/rds-db/aws4_request" in query["X-Amz-Credential"][0]
    assert query["X-Amz-Expires"] == ["900"]


def test_the_role_of_the_database_s_account_signs_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_database(monkeypatch, {**IAM, "role_arn": ROLE})
    own = boto3.Session().get_credentials()

    token = production().login()["password"]

    (credential,) = parse_qs(urlsplit(f"//{token}").query)["X-Amz-Credential"]
    assert own is not None
    assert credential.partition("/")[0] not in {"", own.access_key}
    assert "X-Amz-Security-Token" in token


def test_neither_a_token_nor_the_user_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_database(monkeypatch, IAM)
    address = production()

    assert str(address) == "prod.c0ffee.eu-central-1.rds.amazonaws.com:5433/shop"
    assert "staging_sync_reader" not in repr(address)


@pytest.mark.parametrize("field", ["host", "dbname", "username", "region"])
def test_what_iam_needs_is_named(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    set_database(monkeypatch, {name: value for name, value in IAM.items() if name != field})

    with pytest.raises(ConfigurationError, match=f"PROD_DATABASE lacks {field}"):
        production()


def test_without_a_ca_bundle_no_token_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    set_database(monkeypatch, IAM, ca_bundle="")

    with pytest.raises(ConfigurationError, match="set ca_bundle"):
        production()


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"port": 5432}'])
def test_a_variable_that_is_no_object_of_strings_is_named(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PROD_DATABASE", text)

    with pytest.raises(ConfigurationError, match="PROD_DATABASE is not a JSON object of strings"):
        production()


def test_without_iam_a_secret_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PROD_SECRET_ARN", raising=False)

    with pytest.raises(ConfigurationError, match="PROD_SECRET_ARN is not set"):
        production()

"""The DbSync Lambda's environment: the secrets of two databases, and the exchange bucket."""

import json

import boto3
import pytest

from tests.support.bucket import BUCKET
from tests.support.databases import Pair


def use_databases(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the Lambda's variables for a pair of databases; the caller mocks AWS."""
    client = boto3.client("secretsmanager")
    for variable, database in (
        ("PROD_SECRET_ARN", pair.source),
        ("STAGING_SECRET_ARN", pair.target),
    ):
        secret = {
            "host": str(database.server.socket_dir),
            "port": 5432,
            "username": "postgres",
            "password": "not-needed",
            "dbname": database.name,
        }
        arn = client.create_secret(Name=variable, SecretString=json.dumps(secret))["ARN"]
        monkeypatch.setenv(variable, arn)
    monkeypatch.setenv("EXCHANGE_BUCKET", BUCKET)

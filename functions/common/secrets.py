"""Database addresses out of Secrets Manager."""

import json

import boto3

from common.aws import CLIENT_CONFIG, aws_errors, give_up_soon
from common.database import DatabaseAddress
from common.errors import ConfigurationError

ARN_REGION = 3  # arn:partition:secretsmanager:region:account:secret:name
ARN_PARTS = 7
MAX_PORT = 65535


def read_database_secret(arn: str, ca_bundle: str = "") -> DatabaseAddress:
    """Return the database that a secret of the RDS shape points to.

    Args:
        arn: the secret's. Its Region is taken from it, so that production's may lie elsewhere.
        ca_bundle: see `DatabaseAddress.of_server`.

    Raises:
        ConfigurationError: the ARN is malformed, the secret cannot be read, or it is not a
            JSON object with host, username, password and dbname. No value is shown.
    """
    parts = arn.split(":")
    if len(parts) != ARN_PARTS or parts[0] != "arn" or not parts[ARN_REGION]:
        raise ConfigurationError(f'"{arn}" is not the ARN of a secret.')
    client = boto3.client("secretsmanager", region_name=parts[ARN_REGION], config=CLIENT_CONFIG)
    give_up_soon(client)
    with aws_errors(f"read the secret {arn}"):
        text = client.get_secret_value(SecretId=arn).get("SecretString", "")
    return parse_database_secret(arn, text, ca_bundle)


def parse_database_secret(arn: str, text: str, ca_bundle: str = "") -> DatabaseAddress:
    """Return the address in a secret's text; the rest as `read_database_secret`."""
    try:
        secret = json.loads(text)
    except ValueError:
        secret = None
    if not isinstance(secret, dict):
        # Not chained: a JSON error quotes the document.
        raise ConfigurationError(
            f"The secret {arn} is not a JSON object. It must have the RDS shape: host, port,"
            " username, password, dbname."
        )
    secret.setdefault("dbname", secret.get("database"))
    missing = [
        field
        for field in ("host", "username", "password", "dbname")
        if not isinstance(secret.get(field), str) or not secret[field]
    ]
    port = str(secret.get("port", 5432))
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= MAX_PORT):
        missing.append("port (a number)")
    if missing:
        raise ConfigurationError(
            f"The secret {arn} lacks {', '.join(missing)}. It must have the RDS shape: host, port,"
            " username, password, dbname."
        )
    return DatabaseAddress.of_server(
        host=secret["host"],
        port=port,
        user=secret["username"],
        password=secret["password"],
        dbname=secret["dbname"],
        ca_bundle=ca_bundle,
    )

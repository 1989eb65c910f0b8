"""Database addresses from Secrets Manager."""

import functools
import json
import re
from collections.abc import Mapping
from types import MappingProxyType

import boto3

from common.aws.clients import CLIENT_CONFIG, aws_errors, give_up_soon
from common.errors import ConfigurationError
from common.postgres.connection.address import DEFAULT_PORT, DatabaseAddress, malformed

ARN_REGION = 3  # arn:partition:secretsmanager:region:account:secret:name
ARN_PARTS = 7
# A NUL ends a string in libpq, and half of a surrogate pair cannot be encoded.
UNUSABLE = re.compile("[\x00\ud800-\udfff]")
SHAPE = (
    "It must have the RDS shape: host, port, username, password, dbname. One that RDS manages holds"
    " username and password only: prod_database and staging_database in cdk.json name the rest."
)
NOTHING: Mapping[str, str] = MappingProxyType({})


def read_database_secret(
    arn: str, ca_bundle: str = "", given: Mapping[str, str] = NOTHING
) -> DatabaseAddress:
    """Return the database that a secret of the RDS shape points to.

    Args:
        arn: the secret's. Its Region is taken from it, so that production's may lie elsewhere.
        ca_bundle: see `DatabaseAddress.of_server`.
        given: host, port and dbname that replace the secret's. A secret that RDS manages has
            none of them (RDS user guide, "Password management with Amazon RDS and AWS Secrets
            Manager").

    Raises:
        ConfigurationError: the ARN is malformed, the secret cannot be read, or it is not a
            JSON object with host, username, password and dbname of the right form. No value is
            shown.
    """
    text = read_secret(arn, "prod_secret_arn or staging_secret_arn")
    address = parse_database_secret(arn, text, ca_bundle, given)
    return address.with_secret(functools.partial(read_database_secret, arn, ca_bundle, given))


def read_secret(arn: str, setting: str) -> str:
    """Return a secret's text, from the Region in its ARN.

    Args:
        arn: the secret's.
        setting: where the ARN comes from, for an error's message.

    Raises:
        ConfigurationError: the ARN is malformed, or the secret cannot be read.
    """
    parts = arn.split(":")
    if len(parts) != ARN_PARTS or parts[0] != "arn" or not parts[ARN_REGION]:
        shown = f' "{arn}"' if arn.startswith("arn:aws") else ""  # else a secret itself, perhaps
        raise ConfigurationError(
            f"The configured value{shown} is not the ARN of a secret. Correct {setting} in cdk.json"
            " and deploy again."
        )
    client = boto3.client("secretsmanager", region_name=parts[ARN_REGION], config=CLIENT_CONFIG)
    give_up_soon(client)
    with aws_errors(f"read the secret {arn}"):
        return client.get_secret_value(SecretId=arn).get("SecretString", "")


def parse_database_secret(
    arn: str, text: str, ca_bundle: str = "", given: Mapping[str, str] = NOTHING
) -> DatabaseAddress:
    """Return the address in a secret's text; the rest as `read_database_secret`."""
    try:
        secret = json.loads(text)
    except ValueError:
        secret = None
    if not isinstance(secret, dict):
        # Without a cause: a JSON error quotes the document.
        raise ConfigurationError(f"The secret {arn} is not a JSON object. {SHAPE}")
    secret.setdefault("dbname", secret.get("database"))
    secret |= given
    missing = [
        field
        for field in ("host", "username", "password", "dbname")
        if not isinstance(secret.get(field), str) or not secret[field]
    ]
    if missing:
        raise ConfigurationError(f"The secret {arn} lacks {', '.join(missing)}. {SHAPE}")
    port = str(secret.get("port", DEFAULT_PORT))
    faults = malformed(secret["host"], port, secret["dbname"])
    faults += [
        f"{field} has a character that no {field} can have"
        for field in ("username", "password")
        if UNUSABLE.search(secret[field])
    ]
    if faults:
        raise ConfigurationError(f"The secret {arn} is malformed: {'; '.join(faults)}. {SHAPE}")
    return DatabaseAddress.of_server(
        host=secret["host"],
        port=port,
        user=secret["username"],
        password=secret["password"],
        dbname=secret["dbname"],
        ca_bundle=ca_bundle,
    )

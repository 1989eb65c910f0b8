"""Where a Lambda's databases are, and how it logs in: by a secret, or by IAM without one."""

import json
from collections.abc import Mapping

from common.aws.iam_login import IamLogin
from common.aws.secrets import read_database_secret
from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress
from common.settings import optional, required

IAM_FIELDS = ("host", "dbname", "username", "region")


def database_of(side: str) -> DatabaseAddress:
    """Return the database of a side: "PROD" or "STAGING".

    `<side>_SECRET_ARN` names a secret, `<side>_DATABASE` is a JSON object: host, port and dbname
    that go before the secret's, or with "auth": "iam" all that a login without one needs.

    Raises:
        ConfigurationError: a variable or the secret is missing or malformed.
    """
    ca_bundle = optional("DATABASE_CA_BUNDLE")
    given = _given(f"{side}_DATABASE")
    if given.get("auth") != "iam":
        return read_database_secret(required(f"{side}_SECRET_ARN"), ca_bundle, given)
    if missing := [name for name in IAM_FIELDS if not given.get(name)]:
        raise ConfigurationError(f"{side}_DATABASE lacks {', '.join(missing)}. Deploy again.")
    if not ca_bundle:
        raise ConfigurationError(
            "A token of IAM is sent only to a server that proves its name: set ca_bundle in"
            " cdk.json and deploy again."
        )
    login = IamLogin(
        host=given["host"],
        port=given.get("port", "5432"),
        user=given["username"],
        region=given["region"],
        role_arn=given.get("role_arn", ""),
    )
    return login.address(given["dbname"], ca_bundle)


def _given(variable: str) -> Mapping[str, str]:
    """Return a variable's JSON object of strings, empty where it is not set.

    Raises:
        ConfigurationError: it is no such object.
    """
    try:
        given = json.loads(optional(variable, "{}"))
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise ConfigurationError(f"{variable} is not a JSON object of strings. Deploy again.")
    return given

"""Where a Lambda's databases are, and how it logs in: by a secret, or by IAM without one."""

from common.aws.iam_login import IamLogin
from common.aws.secrets import read_database_secret
from common.errors import ConfigurationError
from common.postgres.connection.address import DEFAULT_PORT, DatabaseAddress
from common.settings import DatabaseVariables, not_set

IAM_FIELDS = ("host", "dbname", "username", "region")


def database_of(variables: DatabaseVariables) -> DatabaseAddress:
    """Return the address of the database that a Lambda's variables name.

    Raises:
        ConfigurationError: a variable or the secret is missing or malformed.
    """
    given = variables.address
    if given.get("auth") != "iam":
        if variables.secret_arn is None:
            raise not_set(f"{variables.side}_SECRET_ARN")
        return read_database_secret(variables.secret_arn, variables.ca_bundle, given)
    if missing := [name for name in IAM_FIELDS if not given.get(name)]:
        raise ConfigurationError(
            f"{variables.side}_DATABASE lacks {', '.join(missing)}. Deploy again."
        )
    if not variables.ca_bundle:
        raise ConfigurationError(
            "A token of IAM is sent only to a server that proves its name: set ca_bundle in"
            " cdk.json and deploy again."
        )
    login = IamLogin(
        host=given["host"],
        port=given.get("port", DEFAULT_PORT),
        user=given["username"],
        region=given["region"],
        role_arn=given.get("role_arn", ""),
    )
    return login.address(given["dbname"], variables.ca_bundle)

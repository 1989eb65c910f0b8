"""A database's address and login, as far as its secret does not contain them.

Login by IAM: RDS user guide, "IAM database authentication",
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from cdk.settings.arns import account_of
from cdk.settings.block import Block
from cdk.settings.values import (
    AccountId,
    DatabaseName,
    DatabaseUser,
    Host,
    Port,
    ResourceId,
    RoleArn,
)

# RDS's own endpoint: a token is valid for no other name. In China the Region comes later in it.
ENDPOINT = re.compile(
    r"[\w.-]+\.(?P<region>[a-z0-9-]+)\.rds\.amazonaws\.com"
    r"|[\w.-]+\.rds\.(?P<china>cn-[a-z0-9-]+)\.amazonaws\.com\.cn"
)
NEEDED_BY_IAM = ("host", "dbname", "username", "resource_id", "account")
OF_IAM_ALONE = ("username", "resource_id", "account", "role_arn")


class Database(Block):
    """What a secret lacks of a database's address, or the complete login without a secret."""

    host: Annotated[Host | None, Field(description="its server, used instead of the secret's")] = (
        None
    )
    port: Annotated[Port | None, Field(description="its port, used instead of the secret's")] = None
    dbname: Annotated[
        DatabaseName | None, Field(description="its name, used instead of the secret's")
    ] = None
    auth: Annotated[
        Literal["secret", "iam"],
        Field(
            description="`iam` for IAM authentication, without a password or a secret; it needs"
            " `ca_bundle`, `host` (RDS's own endpoint), `dbname` and the next three"
        ),
    ] = "secret"
    username: Annotated[
        DatabaseUser | None, Field(description="with `iam`: the role in the database")
    ] = None
    resource_id: Annotated[
        ResourceId | None,
        Field(description="with `iam`: the instance's, cluster's or proxy's resource ID"),
    ] = None
    account: Annotated[
        AccountId | None, Field(description="with `iam`: the account of the database")
    ] = None
    role_arn: Annotated[
        RoleArn | None,
        Field(
            description="with `iam`: a role of that account that may connect; the Lambdas assume"
            " it. Needed if that is not the stack's account"
        ),
    ] = None

    @property
    def by_iam(self) -> bool:
        """Whether the Lambdas log in without a secret."""
        return self.auth == "iam"

    @property
    def region(self) -> str | None:
        """The Region in RDS's own endpoint; None of another host."""
        found = ENDPOINT.fullmatch(self.host or "")
        return (found["region"] or found["china"]) if found else None

    def variable(self) -> dict[str, str] | None:
        """Return what the Lambdas need to know, None if nothing is set."""
        fields = self.model_dump(exclude_none=True, exclude_defaults=True, exclude={"account"})
        if self.by_iam and self.region:
            fields["region"] = self.region
        return {name: str(value) for name, value in fields.items() if name != "resource_id"} or None


def database_contradictions(
    side: str, database: Database, *, has_secret: bool, account: str | None, has_ca_bundle: bool
) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with one side's database.

    Args:
        side: "prod" or "staging".
        database: its block.
        has_secret: whether the settings name a secret for it.
        account: the stack's account, if the settings name it.
        has_ca_bundle: whether servers' certificates are checked.
    """
    block = f"{side}_database"
    if not database.by_iam:
        if not has_secret:
            yield (
                f'{side}_secret_arn is missing and has no default, unless {block} has "auth":'
                ' "iam".'
            )
        for name in OF_IAM_ALONE:
            if getattr(database, name):
                yield f'{block}.{name} is set, which only "auth": "iam" uses.'
        return
    if has_secret:
        yield f'{side}_secret_arn is set beside "auth": "iam" of {block}: remove one of them.'
    for name in NEEDED_BY_IAM:
        if not getattr(database, name):
            yield f'{block}.{name} is missing: "auth": "iam" needs {", ".join(NEEDED_BY_IAM)}.'
    yield from _about_tokens(block, database, has_ca_bundle=has_ca_bundle)
    yield from _about_accounts(block, database, account)


def _about_tokens(block: str, database: Database, *, has_ca_bundle: bool) -> Iterator[str]:
    if database.host and not database.region:
        yield (
            f"{block}.host must be RDS's own endpoint, like"
            " shop.c0ffee.eu-central-1.rds.amazonaws.com: an IAM token is valid for no other"
            " name."
        )
    if not has_ca_bundle:
        yield (
            f'ca_bundle is missing: "auth": "iam" of {block} sends a token only to a server that'
            " proves its name. `make ca-bundle` fetches the file."
        )


def _about_accounts(block: str, database: Database, account: str | None) -> Iterator[str]:
    if database.role_arn:
        if database.account != account_of(database.role_arn):
            yield f"{block}.role_arn is a role of another account than {block}.account."
    elif account is None:
        yield f"account is missing: whether {block} is in the stack's account is not known."
    elif database.account and database.account != account:
        yield (
            f"{block}.role_arn is missing: the database is in {database.account}, where only a"
            f" role of that account may connect, and not one of {account}."
        )

"""Production's and staging's user pools with the sandbox's people, and how they log in."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.bookshop.databases import Subs
from sandbox.bookshop.people import PEOPLE, SUB_HOLDER, SUB_OWNER, Account, Person

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


@dataclass(frozen=True, slots=True)
class UserPool:
    """A pool whose users have the same password, and a client to log in through."""

    client: "CognitoIdentityProviderClient" = field(repr=False)
    pool_id: str
    client_id: str
    password: str = field(repr=False)

    @classmethod
    def create(cls, client: "CognitoIdentityProviderClient", name: str) -> "UserPool":
        """Create an empty pool whose users log in by username."""
        pool_id = client.create_user_pool(PoolName=name)["UserPool"]["Id"]
        app = client.create_user_pool_client(
            UserPoolId=pool_id,
            ClientName="bookshop",
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )["UserPoolClient"]
        # The password meets every rule of the default policy.
        return cls(client, pool_id, app["ClientId"], f"aA1!{secrets.token_urlsafe(12)}")

    def add(self, account: Account) -> str:
        """Create a user and return the sub that the pool gave them."""
        attributes = {"email": account.email}
        if account.verified is not None:
            attributes["email_verified"] = str(account.verified).lower()
        user = self.client.admin_create_user(
            UserPoolId=self.pool_id,
            Username=account.username,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
        )["User"]
        if account.confirmed:
            self.client.admin_set_user_password(
                UserPoolId=self.pool_id,
                Username=account.username,
                Password=self.password,
                Permanent=True,
            )
        if not account.enabled:
            self.client.admin_disable_user(UserPoolId=self.pool_id, Username=account.username)
        return {entry["Name"]: entry["Value"] for entry in user["Attributes"]}["sub"]

    def log_in(self, username: str) -> str:
        """Log a user in with username and password; return the token's `sub`.

        Raises:
            botocore.exceptions.ClientError: the pool refuses.
        """
        answer = self.client.admin_initiate_auth(
            UserPoolId=self.pool_id,
            ClientId=self.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": self.password},
        )
        return _claims(answer["AuthenticationResult"]["IdToken"])["sub"]


@dataclass(frozen=True, slots=True)
class Pools:
    """Both pools, and the subs that the databases start with."""

    production: UserPool
    staging: UserPool
    subs: Subs

    @classmethod
    def create(cls, client: "CognitoIdentityProviderClient") -> "Pools":
        """Create both pools with everybody in them."""
        production = UserPool.create(client, "bookshop-production")
        staging = UserPool.create(client, "bookshop-staging")
        staging_subs = {
            person.name: [staging.add(account) for account in person.accounts] for person in PEOPLE
        }
        subs: dict[str, str | None] = {}
        for person in PEOPLE:
            if person.was_copied:
                subs |= _production_subs(production, person)
            else:
                subs |= dict.fromkeys(person.staging_rows, staging_subs[person.name][0])
        subs[SUB_HOLDER] = staging_subs[SUB_OWNER][0]
        return cls(production, staging, subs)


def _production_subs(pool: UserPool, person: Person) -> dict[str, str | None]:
    """Register a person in production, once for each row, and return the rows' subs."""
    if person.never_logged_in:
        return dict.fromkeys(person.rows, None)
    subs: dict[str, str | None] = {}
    for number, email in enumerate(person.rows or person.staging_rows):
        sub = pool.add(Account(f"{person.name.lower()}{number}", email.strip()))
        subs[email] = sub
        # The same row with the email that it had before.
        subs |= dict.fromkeys(person.staging_rows[number : number + 1], sub)
    return subs


def _claims(token: str) -> dict[str, str]:
    """Return the claims of a JSON web token, which is not verified: it comes from the pool."""
    payload = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return claims

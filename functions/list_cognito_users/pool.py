"""One page of a Cognito user pool, and Cognito's errors by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions
from botocore.config import Config

from common.errors import CognitoUnavailable, ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import ListUsersRequestTypeDef, UserTypeTypeDef

USERS_PER_PAGE = 60  # the most that ListUsers returns
CONNECTIONS = 16  # as many as there are chains
# No retries of the SDK's own: each would be a request that the rate limiter does not know of.
COGNITO_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=CONNECTIONS,
)

# What another try may change, of the codes that Cognito sends with a status below 500.
THROTTLING_CODES = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
UNREACHABLE = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)
SERVER_FAULT = 500


class TokenRefusedError(Exception):
    """A pagination token is not taken: it lives for an hour."""


class FilterRefusedError(Exception):
    """The pool does not filter by the sub's first digits, or says that it does and does not."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some users, and the token of the next page; None is the end. It may hold no users."""

    users: "list[UserTypeTypeDef]"
    token: str | None


class UserPool:
    """A user pool, read page by page; several threads may share it."""

    def __init__(self, client: "CognitoIdentityProviderClient", pool_id: str) -> None:
        """Read the pool of that id through a client, which must not retry by itself."""
        self._client = client
        self._pool_id = pool_id

    @classmethod
    def of(cls, pool_id: str) -> "UserPool":
        """Return the pool of that id in the Lambda's own account and Region."""
        return cls(boto3.client("cognito-idp", config=COGNITO_CONFIG), pool_id)

    def __str__(self) -> str:
        """Return the pool's id and Region, for messages."""
        return f"{self._pool_id} ({self._client.meta.region_name})"

    def page(self, prefix: str, token: str | None) -> Page:
        """Return one page of the users whose sub begins with the prefix.

        AttributesToGet is not used: with it, ListUsers fails if some user has no value for
        one of the attributes (Amazon Cognito API reference, ListUsers).

        Args:
            prefix: the first digits of a sub; nothing for all users.
            token: of the page; None is the first.

        Raises:
            TokenRefusedError, FilterRefusedError: Cognito does not take these.
            CognitoUnavailable, ConfigurationError: see `_cognito_errors`.
        """
        request: ListUsersRequestTypeDef = {"UserPoolId": self._pool_id, "Limit": USERS_PER_PAGE}
        if prefix:
            request["Filter"] = f'sub ^= "{prefix}"'
        if token:
            request["PaginationToken"] = token
        with _cognito_errors(self):
            try:
                answer = self._client.list_users(**request)
            except self._client.exceptions.InvalidParameterException as error:
                if token:
                    raise TokenRefusedError from error
                if prefix:
                    raise FilterRefusedError from error
                raise
        following = answer.get("PaginationToken")
        if following and following == token:
            raise _unavailable(self, "the same pagination token twice")
        return Page(answer["Users"], following)

    def estimated_users(self) -> int:
        """Return about how many users the pool has, as Cognito says.

        Raises:
            CognitoUnavailable, ConfigurationError: see `_cognito_errors`.
        """
        with _cognito_errors(self):
            pool = self._client.describe_user_pool(UserPoolId=self._pool_id)["UserPool"]
        return pool.get("EstimatedNumberOfUsers", 0)


@contextmanager
def _cognito_errors(pool: UserPool) -> Iterator[None]:
    """Name botocore's errors.

    Raises:
        CognitoUnavailable: throttled, a fault of the server, or no connection to it.
        ConfigurationError: anything else: another try would end alike.
    """
    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLING_CODES or status >= SERVER_FAULT:
            raise _unavailable(pool, code) from error
        raise _refused(pool, code) from error
    except UNREACHABLE as error:
        raise _unavailable(pool, type(error).__name__) from error
    except botocore.exceptions.BotoCoreError as error:
        raise _refused(pool, type(error).__name__) from error


def _unavailable(pool: UserPool, what: str) -> CognitoUnavailable:
    return CognitoUnavailable(
        f"Cognito did not list the user pool {pool}: {what}, after several tries. Start the"
        " execution again later."
    )


def _refused(pool: UserPool, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"Could not list the user pool {pool}: {what}. Check user_pool_id in cdk.json: the pool"
        " must exist in this account and Region, and the Lambda's role may use no other."
    )

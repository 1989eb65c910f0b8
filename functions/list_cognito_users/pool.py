"""Reads a Cognito user pool page by page, and turns Cognito's errors into ours."""

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
# The SDK must not retry: the rate limiter would not count those requests.
COGNITO_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=CONNECTIONS,
)

# The codes below status 500 after which a retry can help.
THROTTLING_CODES = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
UNREACHABLE = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)
SERVER_FAULT = 500


class TokenRefusedError(Exception):
    """Cognito refused a pagination token, which is valid for an hour."""


class FilterRefusedError(Exception):
    """The pool refuses the filter by the sub's first digits, or ignores it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some users, perhaps none, and the token of the next page; None after the last page."""

    users: "list[UserTypeTypeDef]"
    token: str | None


class UserPool:
    """A user pool, read page by page; several threads may share it."""

    def __init__(self, client: "CognitoIdentityProviderClient", pool_id: str) -> None:
        """Read the pool with this id through a client that does not retry by itself."""
        self._client = client
        self._pool_id = pool_id

    @classmethod
    def of(cls, pool_id: str) -> "UserPool":
        """Return the pool with this id in the Lambda's own account and Region."""
        return cls(boto3.client("cognito-idp", config=COGNITO_CONFIG), pool_id)

    def __str__(self) -> str:
        """Return the pool's id and Region, for messages."""
        return f"{self._pool_id} ({self._client.meta.region_name})"

    def page(self, prefix: str, token: str | None) -> Page:
        """Return one page of the users whose sub begins with the prefix.

        AttributesToGet is not used: with it, ListUsers fails if some user has no value for
        one of the attributes (Amazon Cognito API reference, ListUsers).

        Args:
            prefix: the first digits of a sub; empty for all users.
            token: of the page; None for the first one.

        Raises:
            TokenRefusedError, FilterRefusedError: Cognito refused the token, or the filter.
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
        """Return Cognito's estimate of how many users the pool has.

        Raises:
            CognitoUnavailable, ConfigurationError: see `_cognito_errors`.
        """
        with _cognito_errors(self):
            pool = self._client.describe_user_pool(UserPoolId=self._pool_id)["UserPool"]
        return pool.get("EstimatedNumberOfUsers", 0)


@contextmanager
def _cognito_errors(pool: UserPool) -> Iterator[None]:
    """Turn botocore's errors into ours.

    Raises:
        CognitoUnavailable: throttled, a server error, or no connection.
        ConfigurationError: any other error: retrying cannot help.
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
        f"Cognito did not list the user pool {pool}: {what}, after several attempts. Start the"
        " execution again later."
    )


def _refused(pool: UserPool, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"Could not list the user pool {pool}: {what}. Check user_pool_id in cdk.json: the pool"
        " must exist in this account and Region, and the Lambda's role may use no other."
    )

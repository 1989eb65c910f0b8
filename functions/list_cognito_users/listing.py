"""Writes a Cognito user pool's users to the exchange bucket, page by page.

A page's users go at once into a gzipped CSV part, so that memory does not grow with the
pool. The manifest comes last: it alone says which parts make up the listing.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from itertools import count, islice
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions

from common.aws import CLIENT_CONFIG
from common.errors import CognitoUnavailable, ConfigurationError, StagingSyncError
from common.exchange import Exchange
from common.log import logger
from common.manifest import COLUMNS, LISTING_FOLDER, MANIFEST_NAME, Manifest, Part

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import UserTypeTypeDef

USERS_PER_PAGE = 60  # the most that ListUsers returns
USERS_PER_PART = 10_000  # under 1 MB, compressed

# What another try may change, of the codes that Cognito sends with a status below 500.
THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
UNREACHABLE = (
    botocore.exceptions.ConnectionError,
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.PaginationError,  # the same token came twice
)
SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a listing lies (`manifest` is a key of `bucket`) and what it holds."""

    bucket: str
    manifest: str
    users: int
    pages: int
    done: bool = True


class UserPool:
    """A user pool that is read once; `pages` counts what was read so far."""

    def __init__(self, client: "CognitoIdentityProviderClient", pool_id: str) -> None:
        """Read the pool of that id through a client."""
        self._client = client
        self._pool_id = pool_id
        self.pages = 0

    @classmethod
    def of(cls, pool_id: str) -> "UserPool":
        """Return the pool of that id in the Lambda's own account and Region."""
        return cls(boto3.client("cognito-idp", config=CLIENT_CONFIG), pool_id)

    def __str__(self) -> str:
        """Return the pool's id and Region, for messages."""
        return f"{self._pool_id} ({self._client.meta.region_name})"

    def users(self) -> Iterator["UserTypeTypeDef"]:
        """Yield every user, until no page names a next one: an empty page may.

        AttributesToGet is not used: with it, ListUsers fails if some user has no value for
        one of the attributes (Amazon Cognito API reference, ListUsers).

        Raises:
            CognitoUnavailable, ConfigurationError: see `_cognito_errors`.
        """
        paginator = self._client.get_paginator("list_users")
        with _cognito_errors(self):
            for page in paginator.paginate(
                UserPoolId=self._pool_id, PaginationConfig={"PageSize": USERS_PER_PAGE}
            ):
                self.pages += 1
                yield from page["Users"]


def list_users(pool: UserPool, exchange: Exchange) -> Listing:
    """Write all users of a pool into the execution's folder, as parts and a manifest.

    Raises:
        CognitoUnavailable: the pool is throttled, or failing, after the SDK's own retries.
        ConfigurationError: the pool or the bucket is missing, or the role may not use it.
        StagingSyncError: a user has no sub, or S3 failed.
    """
    parts = tuple(_write_parts((_row(user, pool) for user in pool.users()), exchange))
    manifest = Manifest(parts, sum(part.lines for part in parts), pool.pages)
    exchange.write_json(MANIFEST_NAME, manifest.to_json())
    logger.info(
        "listed the user pool", users=manifest.users, pages=manifest.pages, parts=len(parts)
    )
    return Listing(
        exchange.bucket, exchange.key(MANIFEST_NAME), users=manifest.users, pages=manifest.pages
    )


def _row(user: "UserTypeTypeDef", pool: UserPool) -> tuple[str, ...]:
    """Return the values of `COLUMNS`; one that the user lacks is empty."""
    attributes = {each["Name"]: each.get("Value", "") for each in user.get("Attributes", [])}
    if not attributes.get("sub"):
        raise StagingSyncError(
            f"Page {pool.pages} of the user pool {pool} holds a user without a sub, which every"
            " user has. Start the execution again; if it fails again, ask AWS Support."
        )
    modified = user.get("UserLastModifiedDate")
    return (
        attributes.get("email", ""),
        attributes["sub"],
        user.get("Username", ""),
        user.get("UserStatus", ""),
        "true" if user.get("Enabled") else "false",
        attributes.get("email_verified", ""),
        modified.astimezone(UTC).isoformat() if modified else "",
    )


def _write_parts(rows: Iterator[tuple[str, ...]], exchange: Exchange) -> Iterator[Part]:
    for number in count(1):
        content = io.BytesIO()
        lines = _write_csv(content, islice(rows, USERS_PER_PART))
        if not lines:
            return
        name = f"{LISTING_FOLDER}/part-{number:05}.csv.gz"
        exchange.upload(name, content)
        yield Part(exchange.key(name), lines)


def _write_csv(content: io.BytesIO, rows: Iterable[tuple[str, ...]]) -> int:
    """Write a header and the rows, gzipped, and return how many rows there were."""
    lines = 0
    with gzip.open(content, "wt", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(row)
            lines += 1
    return lines


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
        if code in THROTTLED or status >= SERVER_FAULT:
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

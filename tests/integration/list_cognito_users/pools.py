"""Simulated pools, how they are listed in one or several invocations, and the files of that."""

import csv
import gzip
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.model import OperationModel

from common.aws.exchange import Exchange
from common.errors import ConfigurationError
from common.manifest import Manifest
from list_cognito_users.listing import Listing, list_users
from list_cognito_users.pool import UserPool
from list_cognito_users.rate import RateLimiter
from list_cognito_users.tuning import TUNING, Tuning
from tests.support.bucket import BUCKET, EXECUTION, MANIFEST, REGION
from tests.support.cognito_service import DROPPED, POOL_ID, CognitoService, FailureError
from tests.support.cognito_users import MODIFIED, ListedUsers, make_user

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_s3 import S3Client

type Answer = tuple[AWSResponse, dict[str, Any]]

EVENT = {"execution": "run-1", "input": {"sync_cognito": True}}
FAST = 2_000.0  # requests a second, so that no test waits for the limiter
NO_PATIENCE = Tuning(seconds_of_failing=0.0)  # the first failure ends the invocation


class Killed(BaseException):
    """The Lambda service kills the process: nothing that follows runs."""


class CountingLimiter(RateLimiter):
    """Counts the requests that are sent."""

    def __init__(self, rate: float = FAST, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(rate, clock)
        self.sent = 0

    def take(self) -> float:
        self.sent += 1
        return super().take()


@dataclass(slots=True)
class Pool:
    """A simulated pool, and the folder that it is listed to."""

    service: CognitoService
    client: "CognitoIdentityProviderClient"
    exchange: Exchange

    def list(
        self,
        *,
        requests: float = float("inf"),
        rate: float = FAST,
        clock: Callable[[], float] = time.monotonic,
        tuning: Tuning = TUNING,
    ) -> Listing:
        """List in one invocation, which has time for so many requests."""
        limiter = CountingLimiter(rate, clock)
        return self._list(limiter, lambda: 10.0 if limiter.sent < requests else 0.0, tuning)

    def list_to_the_end(self, *, requests: float, tuning: Tuning = TUNING) -> int:
        """Invoke until the listing is done, as the state machine does; return how often."""
        invocations = 1
        while not self.list(requests=requests, tuning=tuning).done:
            invocations += 1
            assert invocations < 100, "it never ends"
        return invocations

    def list_and_be_killed(self, *, requests: int, tuning: Tuning = TUNING) -> None:
        """List in an invocation that is killed after so many requests.

        Raises:
            Killed: always, unless the listing ends before.
        """
        limiter = CountingLimiter()

        def time_left() -> float:
            if limiter.sent >= requests:
                raise Killed
            return 10.0

        self._list(limiter, time_left, tuning)

    def _list(
        self, limiter: RateLimiter, time_left: Callable[[], float], tuning: Tuning
    ) -> Listing:
        pool = UserPool(self.client, POOL_ID)
        return list_users(pool, self.exchange, limiter, time_left, tuning)


class DictExchange(Exchange):
    """Keeps files in a dict, for tests that write many; moto's S3 takes milliseconds for each."""

    def __init__(self) -> None:
        super().__init__(boto3.client("s3", region_name=REGION), BUCKET, EXECUTION)
        object.__setattr__(self, "files", {})

    files: dict[str, bytes]

    def write_json(self, name: str, content: Mapping[str, Any]) -> str:
        self.files[self.key(name)] = json.dumps(content).encode()
        return self.uri(name)

    def upload(self, name: str, content: IO[bytes]) -> str:
        content.seek(0)
        assert self.key(name) not in self.files, "a part is never overwritten"
        self.files[self.key(name)] = content.read()
        return self.uri(name)

    def open(self, key: str) -> IO[bytes]:
        if key not in self.files:
            raise ConfigurationError(key) from ClientError(
                {"Error": {"Code": "NoSuchKey"}}, "GetObject"
            )
        return io.BytesIO(self.files[key])

    def listed(self) -> list[dict[str, str]]:
        """Return the rows of the complete listing."""
        rows = []
        for part in Manifest.parse(self.files[MANIFEST]).parts:
            of_part = rows_of(self.files[part.key])
            assert len(of_part) == part.lines, part.key
            rows += of_part
        return rows


def direct_client(service: CognitoService) -> "CognitoIdentityProviderClient":
    """Return a client that calls the service without HTTP, which takes milliseconds."""

    def answer(model: OperationModel, params: dict[str, Any], **_: object) -> Answer:
        try:
            content = service.answer(model.name, json.loads(params["body"]))
        except FailureError as error:
            failure = error.failure
            if failure is DROPPED:
                raise ConnectionClosedError(endpoint_url="http://direct") from None
            content = {"Error": {"Code": failure.code, "Message": failure.message}}
            content["ResponseMetadata"] = {"HTTPStatusCode": failure.status}
            return AWSResponse("", failure.status, HTTPHeaders(), None), content
        for each in content.get("Users", []):
            each["UserLastModifiedDate"] = datetime.fromtimestamp(MODIFIED, UTC)
        return AWSResponse("", 200, HTTPHeaders(), None), content

    client = boto3.client(
        "cognito-idp", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.meta.events.register_first("before-call.cognito-idp", answer)  # type: ignore[arg-type]  # by the stubs, this event's handler returns nothing
    return client


def user(number: int, digit: str = "0") -> dict[str, Any]:
    """Return a user whose sub begins with a digit."""
    sub = f"{digit}{number:07x}-0000-4000-a000-000000000000"
    return make_user(sub, f"u{number}@example.com")


def spread(count: int) -> ListedUsers:
    """Return so many users, whose subs begin with the sixteen digits in turn."""
    return ListedUsers([user(number, f"{number % 16:x}") for number in range(count)])


def subs_of(users: ListedUsers) -> list[str]:
    """Return the subs of all users, sorted."""
    return sorted(
        each["Value"]
        for user in users.users
        if user
        for each in user["Attributes"]
        if each["Name"] == "sub"
    )


def manifest_json(s3: "S3Client") -> dict[str, Any]:
    """Return the manifest as it is stored, complete or not."""
    content: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read())
    return content


def read_manifest(s3: "S3Client") -> Manifest:
    """Return the manifest as UpdateDb reads it."""
    return Manifest.parse(s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read())


def read_rows(s3: "S3Client") -> list[dict[str, str]]:
    """Return the rows of the parts that the manifest names."""
    rows: list[dict[str, str]] = []
    for part in read_manifest(s3).parts:
        of_part = rows_of(s3.get_object(Bucket=BUCKET, Key=part.key)["Body"].read())
        assert len(of_part) == part.lines, part.key
        rows += of_part
    return rows


def rows_of(part: bytes) -> list[dict[str, str]]:
    """Return the rows of one part."""
    return list(csv.DictReader(io.StringIO(gzip.decompress(part).decode(), newline="")))


def listed_subs(s3: "S3Client") -> list[str]:
    """Return the subs that are listed, sorted; with any that is listed twice."""
    return sorted(row["sub"] for row in read_rows(s3))

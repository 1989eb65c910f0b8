"""How Cognito answers ListUsers and DescribeUserPool, without HTTP.

Sources: the ListUsers page of the Amazon Cognito API reference (60 users a page; a page may
be short or empty and still have a token for a next one; a token is valid for an hour and for the
same parameters; which attributes a filter accepts), and the developer guide's page on quotas (30
ListUsers requests a second for an account and Region).
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.cognito_users import Users, sub_of

type Clock = Callable[[], float]  # seconds
type Interfere = Callable[["Call"], "Failure | None"]

POOL_ID = "eu-central-1_Simulated"
MAX_LIMIT = 60
TOKEN_SECONDS = 3600.0
QUOTA = 30  # ListUsers requests a second
KEY = b"nobody knows"
TOKEN_LENGTH = 600  # at least; Cognito's are as long
SEARCHABLE = {
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
}
FILTER = re.compile(r'\s*"?([\w:]+)"?\s*(\^=|=)\s*"((?:[^"\\]|\\.)*)"\s*')


@dataclass(frozen=True, slots=True)
class Call:
    """One ListUsers request: the `number` of all, and `of_prefix` of those with its prefix."""

    number: int
    of_prefix: int
    prefix: str
    has_token: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that Cognito answers with."""

    code: str
    message: str = "about jane@example.com"
    status: int = 400


THROTTLED = Failure("TooManyRequestsException", "Too many requests")
INTERNAL_ERROR = Failure("InternalErrorException", "Something went wrong", 500)
DROPPED = Failure("dropped", "", 0)  # no answer: the connection is closed


class FailureError(Exception):
    """Carries a failure to the code that sends the answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


@dataclass(slots=True)
class CognitoService:
    """One pool; tests change its fields while it runs to change its behaviour."""

    users: Users
    pool_id: str = POOL_ID
    quota: float = QUOTA  # accepted ListUsers requests in any one second
    page_sizes: tuple[int, ...] = (MAX_LIMIT,)  # of the first, second, … page of a chain; repeats
    last_is_empty: bool = False  # the last page has a token, for a page that is empty
    token_seconds: float = TOKEN_SECONDS
    filters: str = "honoured"  # or "refused", or "ignored", as simpler simulations do
    unfiltered: frozenset[str] = frozenset()  # subs of users that no filter finds
    is_stuck: bool = False  # returns the token that it was given
    estimate: int | None = None  # EstimatedNumberOfUsers, if it differs from the true count
    interfere: Interfere = lambda _: None  # may make a ListUsers request fail
    describe_failure: Failure | None = None
    clock: Clock = time.monotonic
    arrivals: list[float] = field(default_factory=list)  # of ListUsers requests, by the clock
    throttled: int = 0
    describes: int = 0
    _accepted: deque[float] = field(default_factory=deque)
    _of_prefix: dict[str, int] = field(default_factory=dict)

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            FailureError: the request is refused, or the test makes it fail.
        """
        operations = {"ListUsers": self._list_users, "DescribeUserPool": self._describe}
        if operation not in operations:
            raise FailureError(Failure("UnknownOperationException", f"{operation}"))
        return operations[operation](request)

    def busiest_second(self) -> int:
        """Return the highest number of ListUsers requests within one second."""
        window: deque[float] = deque()
        most = 0
        for arrival in sorted(self.arrivals):
            window.append(arrival)
            while window[0] <= arrival - 1:
                window.popleft()
            most = max(most, len(window))
        return most

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.describes += 1
        if self.describe_failure:
            raise FailureError(self.describe_failure)
        self._check_pool(request)
        users = len(self.users) if self.estimate is None else self.estimate
        return {"UserPool": {"Id": self.pool_id, "Name": "s", "EstimatedNumberOfUsers": users}}

    def _list_users(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.arrivals.append(self.clock())
        self._interfere(request)
        self._take_quota()
        self._check_pool(request)
        limit = _limit(request)
        prefix = self._prefix(request)
        position, page = self._open_token(request)
        size = min(limit, self.page_sizes[page % len(self.page_sizes)])
        users: list[dict[str, Any]] = []
        following: int | None = None
        for number, user in self.users.from_number(position, prefix):
            if prefix and sub_of(user) in self.unfiltered:
                continue
            if len(users) == size:
                following = number
                break
            users.append(user)
            position = number + 1
        if following is None and self.last_is_empty and users:
            following = position
        answer: dict[str, Any] = {"Users": users}
        if self.is_stuck and "PaginationToken" in request:
            answer["PaginationToken"] = request["PaginationToken"]
        elif following is not None:
            answer["PaginationToken"] = self._make_token(request, following, page + 1)
        return answer

    def _interfere(self, request: Mapping[str, Any]) -> None:
        found = FILTER.fullmatch(request.get("Filter", ""))
        prefix = found[3] if found else ""
        self._of_prefix[prefix] = self._of_prefix.get(prefix, 0) + 1
        call = Call(
            len(self.arrivals), self._of_prefix[prefix], prefix, "PaginationToken" in request
        )
        if failure := self.interfere(call):
            raise FailureError(failure)

    def _take_quota(self) -> None:
        now = self.arrivals[-1]
        while self._accepted and self._accepted[0] <= now - 1:
            self._accepted.popleft()
        if len(self._accepted) >= self.quota:
            self.throttled += 1
            raise FailureError(THROTTLED)
        self._accepted.append(now)

    def _check_pool(self, request: Mapping[str, Any]) -> None:
        pool_id = request.get("UserPoolId")
        if pool_id != self.pool_id:
            message = f"User pool {pool_id} does not exist."
            raise FailureError(Failure("ResourceNotFoundException", message))

    def _prefix(self, request: Mapping[str, Any]) -> str:
        """Return the prefix of the sub that is searched for; empty for all users."""
        text = request.get("Filter", "")
        if not text or self.filters == "ignored":
            return ""
        found = FILTER.fullmatch(text)
        if self.filters == "refused" or not found:
            raise _invalid("Error while parsing filter.")
        if found[1] not in SEARCHABLE:
            raise _invalid(f"Invalid search attribute: {found[1]}")
        if (found[1], found[2]) != ("sub", "^="):
            raise _invalid("only sub ^= is simulated")
        return found[3]

    def _make_token(self, request: Mapping[str, Any], position: int, page: int) -> str:
        content = json.dumps([position, page, self.clock(), _parameters(request)]).encode()
        signed = hmac.digest(KEY, content, hashlib.sha256) + content
        return base64.urlsafe_b64encode(signed.ljust(TOKEN_LENGTH * 3 // 4)).decode()

    def _open_token(self, request: Mapping[str, Any]) -> tuple[int, int]:
        """Return the numbers of the next user and of the page."""
        token = request.get("PaginationToken")
        if token is None:
            return 0, 0
        try:
            signed = base64.b64decode(token, b"-_", validate=True).rstrip()
            signature, content = signed[:32], signed[32:]
            if not hmac.compare_digest(hmac.digest(KEY, content, hashlib.sha256), signature):
                raise ValueError(token)
            position, page, made, parameters = json.loads(content)
        except ValueError:
            raise _invalid("Invalid pagination token.") from None
        if parameters != _parameters(request):
            raise _invalid("Invalid pagination token.")
        if self.clock() - made > self.token_seconds:
            raise _invalid("Pagination token has expired.")
        return position, page


def _limit(request: Mapping[str, Any]) -> int:
    limit = request.get("Limit", MAX_LIMIT)
    if not isinstance(limit, int) or not 0 <= limit <= MAX_LIMIT:
        raise _invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy"
            f" constraint: Member must have value less than or equal to {MAX_LIMIT}",
        )
    return limit or MAX_LIMIT


def _invalid(message: str) -> FailureError:
    return FailureError(Failure("InvalidParameterException", message))


def _parameters(request: Mapping[str, Any]) -> list[Any]:
    return [
        request.get("UserPoolId"),
        request.get("Filter"),
        request.get("Limit"),
        request.get("AttributesToGet"),
    ]

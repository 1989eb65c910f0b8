"""A chain of pages: the users whose sub begins with one digit, or all of them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from common.aws.exchange import Exchange
from common.errors import StagingSyncError
from common.manifest import Part
from list_cognito_users.parts import PartWriter, attributes_of, is_skipped
from list_cognito_users.pool import FilterRefusedError, Page, UserPool

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import UserTypeTypeDef

DIGITS = "0123456789abcdef"  # a sub is a UUID, so it begins with one of these


@dataclass(slots=True, eq=False)
class Chain:
    """A chain's position and what it has written; only one thread at a time works on it."""

    prefix: str
    token: str | None = None  # of the next page; None: the first page, or there is none left
    is_done: bool = False
    pages: int = 0
    restarts: int = 0
    skipped: int = 0  # users with a value that PostgreSQL cannot store
    parts: list[Part] = field(default_factory=list)
    failing_since: float | None = None  # when the first of its failed requests was sent
    _writer: PartWriter | None = None

    @property
    def users(self) -> int:
        """How many users are in the parts that are written."""
        return sum(part.lines for part in self.parts)

    def advance(self, pool: UserPool, exchange: Exchange, users_per_part: int) -> Page:
        """Read the next page, write its users and return it; the position moves last.

        Raises:
            TokenRefusedError, CognitoUnavailable, ConfigurationError: see `UserPool.page`.
            FilterRefusedError: see there; or a user's sub does not begin with the prefix.
            StagingSyncError: a user has no sub, or S3 failed.
        """
        page = pool.page(self.prefix, self.token)
        for user in page.users:
            self._check(user, pool)
        label = self.prefix or "all"
        self._writer = self._writer or PartWriter(exchange, label, users_per_part)
        self.parts += self._writer.write(page.users)
        if not page.token:
            self.close()
        self.token, self.is_done = page.token, not page.token
        self.pages += 1
        self.skipped += sum(map(is_skipped, page.users))
        return page

    def close(self) -> None:
        """Upload the part that is not complete yet."""
        if self._writer:
            self.parts += self._writer.close()

    def restart(self) -> None:
        """Start again from the first page and drop what was listed so far."""
        self.restarts += 1
        self.token, self.pages, self.skipped, self.parts, self._writer = None, 0, 0, [], None

    def _check(self, user: "UserTypeTypeDef", pool: UserPool) -> None:
        sub = attributes_of(user).get("sub")
        if not sub:
            raise StagingSyncError(
                f"Page {self.pages + 1} of the user pool {pool} has a user without a sub, which"
                " every user must have. Start the execution again; if it fails again, contact AWS"
                " Support."
            )
        if not sub.startswith(self.prefix):
            raise FilterRefusedError


def is_found_by_digit(user: "UserTypeTypeDef") -> bool:
    """Return whether one of the sixteen chains would find this user."""
    return attributes_of(user)["sub"][0] in DIGITS

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

DIGITS = "0123456789abcdef"  # a sub is a UUID, so these are the beginnings of all


@dataclass(slots=True, eq=False)
class Chain:
    """Where a chain stands, and what it has written; worked on by one thread at a time."""

    prefix: str
    token: str | None = None  # of the next page; None is the first, or none if it is done
    is_done: bool = False
    pages: int = 0
    restarts: int = 0
    skipped: int = 0  # users with a value that cannot be stored
    parts: list[Part] = field(default_factory=list)
    failing_since: float | None = None  # by the clock of the listing
    _writer: PartWriter | None = None

    @property
    def users(self) -> int:
        """The users in the parts that are written."""
        return sum(part.lines for part in self.parts)

    def advance(self, pool: UserPool, exchange: Exchange, users_per_part: int) -> Page:
        """Read the next page and write its users; return it. The position moves last.

        Raises:
            TokenRefusedError, CognitoUnavailable, ConfigurationError: see `UserPool.page`.
            FilterRefusedError: likewise, or a user's sub does not begin with the prefix.
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
        """Upload what is not uploaded yet."""
        if self._writer:
            self.parts += self._writer.close()

    def restart(self) -> None:
        """Begin again, without what was listed so far."""
        self.restarts += 1
        self.token, self.pages, self.skipped, self.parts, self._writer = None, 0, 0, [], None

    def _check(self, user: "UserTypeTypeDef", pool: UserPool) -> None:
        sub = attributes_of(user).get("sub")
        if not sub:
            raise StagingSyncError(
                f"Page {self.pages + 1} of the user pool {pool} holds a user without a sub, which"
                " every user has. Start the execution again; if it fails again, ask AWS Support."
            )
        if not sub.startswith(self.prefix):
            raise FilterRefusedError


def is_found_by_digit(user: "UserTypeTypeDef") -> bool:
    """Return whether one of the sixteen chains would find this user."""
    return attributes_of(user)["sub"][0] in DIGITS

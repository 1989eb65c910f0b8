"""The users of a simulated pool: calculated from their number, or listed one by one."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

type User = dict[str, Any]  # in the shape of ListUsers' answer, times as seconds since 1970

DIGITS = "0123456789abcdef"
CREATED = 1_740_000_000.0
MODIFIED = 1_770_000_000.0


class Users(Protocol):
    """The users of a pool. A user keeps their number; a new user gets a higher one."""

    def __len__(self) -> int:
        """Return how many users there are."""

    def from_number(self, number: int, prefix: str) -> Iterator[tuple[int, User]]:
        """Yield number and user in order, of those whose sub begins with the prefix."""


@dataclass(frozen=True, slots=True)
class GeneratedUsers:
    """Any number of users, none of them stored.

    A sub's first digit is its number's last hexadecimal digit, so that the users of a
    prefix are found without checking the others; the rest of the sub is a hash.
    """

    count: int
    seed: int = 0
    varied: bool = True  # with special cases; otherwise all are confirmed and verified

    def __len__(self) -> int:
        return self.count

    def from_number(self, number: int, prefix: str) -> Iterator[tuple[int, User]]:
        numbers = range(number, self.count)
        if prefix:
            first = DIGITS.find(prefix[0])
            if first < 0:
                return
            numbers = range(number + (first - number) % 16, self.count, 16)
        for each in numbers:
            if self.sub(each).startswith(prefix):
                yield each, self.user(each)

    def sub(self, number: int) -> str:
        """Return a user's sub."""
        text = hashlib.md5(f"{self.seed}/{number}".encode(), usedforsecurity=False).hexdigest()
        rest = f"{number % 16:x}{text[1:]}"
        return f"{rest[:8]}-{rest[8:12]}-4{rest[13:16]}-a{rest[17:20]}-{rest[20:]}"

    def email(self, number: int) -> str | None:
        """Return a user's email: of every 100, one has none, and one has the previous user's."""
        if self.varied and number % 100 == 50:
            return None
        if self.varied and number % 100 == 61:
            number -= 1
        return f"user{number}@example.com"

    def user(self, number: int) -> User:
        """Return a user: of every 100 varied ones, some are special cases."""
        sub = self.sub(number)
        case = number % 100 if self.varied else 0
        return make_user(
            sub,
            self.email(number),
            username=f"Google_{number}" if case in {61, 70} else sub,
            status={61: "EXTERNAL_PROVIDER", 70: "EXTERNAL_PROVIDER", 80: "UNCONFIRMED"}.get(
                case, "CONFIRMED"
            ),
            enabled=case != 90,
            email_verified={80: "false", 81: None}.get(case, "true"),
        )


@dataclass(slots=True)
class ListedUsers:
    """Users listed one by one; tests add and remove some while the pool is listed."""

    users: list[User | None] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(user is not None for user in self.users)

    def from_number(self, number: int, prefix: str) -> Iterator[tuple[int, User]]:
        for each, user in enumerate(self.users[number:], number):
            if user is not None and sub_of(user).startswith(prefix):
                yield each, user

    def add(self, user: User) -> None:
        self.users.append(user)

    def remove(self, sub: str) -> None:
        self.users[:] = [
            None if user is not None and sub_of(user) == sub else user for user in self.users
        ]


def make_user(
    sub: str,
    email: str | None,
    *,
    username: str | None = None,
    status: str = "CONFIRMED",
    enabled: bool = True,
    email_verified: str | None = "true",
) -> User:
    """Return a user; an attribute that is None is left out."""
    attributes = {"email": email, "email_verified": email_verified if email else None, "sub": sub}
    return {
        "Username": username or sub,
        "Attributes": [
            {"Name": name, "Value": value}
            for name, value in attributes.items()
            if value is not None
        ],
        "UserCreateDate": CREATED,
        "UserLastModifiedDate": MODIFIED,
        "Enabled": enabled,
        "UserStatus": status,
    }


def sub_of(user: User) -> str:
    """Return a user's sub; empty if there is none."""
    return next((each["Value"] for each in user["Attributes"] if each["Name"] == "sub"), "")

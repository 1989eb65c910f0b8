"""The files that a listing consists of: gzipped CSV, written as the users come."""

import csv
import gzip
import io
import re
import secrets
from datetime import UTC
from typing import TYPE_CHECKING

from common.aws.exchange import Exchange
from common.manifest import COLUMNS, LISTING_FOLDER, Part

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import UserTypeTypeDef

BEYOND_STORING = re.compile("[\0\ud800-\udfff]")


class PartWriter:
    """Writes the parts of one chain, one after the other."""

    def __init__(self, exchange: Exchange, label: str, users_per_part: int) -> None:
        """Write into the execution's folder; the label tells chains apart for a reader."""
        self._exchange = exchange
        self._label = label
        self._users_per_part = users_per_part
        self._open: _OpenPart | None = None

    def write(self, users: "list[UserTypeTypeDef]") -> list[Part]:
        """Add a page of users; return the part that was full before, if one was."""
        full = []
        if self._open and self._open.lines + len(users) > self._users_per_part:
            full = self.close()
        if users:
            self._open = self._open or _OpenPart()
            self._open.write(users)
        return full

    def close(self) -> list[Part]:
        """Upload the part that is open, if one is, and return it.

        Each name is new: another invocation, or a killed one that still runs, may have
        written parts that a manifest names already.
        """
        if not self._open:
            return []
        name = f"{LISTING_FOLDER}/part-{self._label}-{secrets.token_hex(8)}.csv.gz"
        self._exchange.upload(name, self._open.finish())
        part = Part(self._exchange.key(name), self._open.lines)
        self._open = None
        return [part]


class _OpenPart:
    """A part that grows in memory, compressed."""

    def __init__(self) -> None:
        self.lines = 0
        self._content = io.BytesIO()
        zipped = gzip.GzipFile(fileobj=self._content, mode="wb")
        self._text = io.TextIOWrapper(zipped, encoding="utf-8", newline="")
        self._csv = csv.writer(self._text, lineterminator="\n")
        self._csv.writerow(COLUMNS)

    def write(self, users: "list[UserTypeTypeDef]") -> None:
        self._csv.writerows(_row(user) for user in users)
        self.lines += len(users)

    def finish(self) -> io.BytesIO:
        self._text.close()
        return self._content


def attributes_of(user: "UserTypeTypeDef") -> dict[str, str]:
    """Return a user's attributes by name."""
    return {each["Name"]: each.get("Value", "") for each in user.get("Attributes", [])}


def is_skipped(user: "UserTypeTypeDef") -> bool:
    """Return whether a user has a value that no PostgreSQL database can hold."""
    return not all(map(_can_be_stored, _values(user)))


def _row(user: "UserTypeTypeDef") -> tuple[str, ...]:
    """Return the values of `COLUMNS`; one that the user lacks is empty.

    A user who is skipped has no email, so that nobody is matched by it, and escapes for what
    cannot be stored, so that a person finds who it is.
    """
    values = _values(user)
    if all(map(_can_be_stored, values)):
        return values
    _, *others = values
    return ("", *map(_escaped, others))


def _values(user: "UserTypeTypeDef") -> tuple[str, ...]:
    attributes = attributes_of(user)
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


def _can_be_stored(value: str) -> bool:
    """Return whether a text has no NUL and no half of a surrogate pair, which UTF-8 cannot have."""
    return not BEYOND_STORING.search(value)


def _escaped(value: str) -> str:
    return BEYOND_STORING.sub(lambda found: f"\\u{ord(found[0]):04x}", value)

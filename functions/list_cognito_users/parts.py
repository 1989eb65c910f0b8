"""The files that a listing consists of: gzipped CSV, written while the pool is read."""

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

# PostgreSQL stores no NUL, and UTF-8 encodes no half of a surrogate pair.
BEYOND_STORING = re.compile("[\0\ud800-\udfff]")


class PartWriter:
    """Writes the parts of one chain, one after the other."""

    def __init__(self, exchange: Exchange, label: str, users_per_part: int) -> None:
        """Write into the execution's folder; the label shows which chain a part is from."""
        self._exchange = exchange
        self._label = label
        self._users_per_part = users_per_part
        self._open: _OpenPart | None = None

    def write(self, users: "list[UserTypeTypeDef]") -> list[Part]:
        """Add a page of users; return the part that they did not fit into, if one was full."""
        full = []
        if self._open and self._open.lines + len(users) > self._users_per_part:
            full = self.close()
        if users:
            self._open = self._open or _OpenPart()
            self._open.write(users)
        return full

    def close(self) -> list[Part]:
        """Upload the open part, if there is one, and return it.

        Each part gets a new name, so that it never overwrites one that the manifest of another
        invocation names, even if that invocation was given up and still runs.
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
    """Return whether a user has a value that PostgreSQL cannot store."""
    return not all(map(_can_be_stored, _values(user)))


def _row(user: "UserTypeTypeDef") -> tuple[str, ...]:
    """Return the values of `COLUMNS`; one that the user lacks is empty.

    A skipped user gets no email, so that no row is matched, and escapes in the place of what cannot
    be stored, so that an operator can find the user.
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
    """Return whether a text has neither a NUL nor half a surrogate pair."""
    return not BEYOND_STORING.search(value)


def _escaped(value: str) -> str:
    return BEYOND_STORING.sub(lambda found: f"\\u{ord(found[0]):04x}", value)

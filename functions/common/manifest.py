"""The table of contents of a pool's listing: written by ListCognitoUsers, read by UpdateDb."""

import json
from dataclasses import dataclass
from typing import Any

from common.errors import ConfigurationError

LISTING_FOLDER = "cognito-users"
MANIFEST_NAME = f"{LISTING_FOLDER}/manifest.json"
COLUMNS = ("email", "sub", "username", "status", "enabled", "email_verified", "last_modified")


@dataclass(frozen=True, slots=True)
class Part:
    """One gzipped CSV file: its key in the bucket, and its users (the header not counted)."""

    key: str
    lines: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of a listing. A file that it does not name is not part of the listing.

    `warnings`: what a person should look at, without personal data.
    """

    parts: tuple[Part, ...]
    users: int
    pages: int
    complete: bool = True
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return `{"parts": [{"key", "lines"}], "users", "pages", "complete", "warnings"}`.

        A part's `lines` are its users; the header line is not counted, so that the lines of
        all parts add up to `users`.
        """
        return {
            "parts": [{"key": part.key, "lines": part.lines} for part in self.parts],
            "users": self.users,
            "pages": self.pages,
            "complete": self.complete,
            "warnings": list(self.warnings),
        }

    @classmethod
    def parse(cls, text: str | bytes) -> "Manifest":
        """Return the manifest that a JSON text holds.

        Raises:
            ConfigurationError: the text is not what `to_json` returns, the listing is not
                complete, or the parts' lines do not add up to its users.
        """
        try:
            content = json.loads(text)
        except ValueError:
            raise _malformed("it is not JSON") from None
        if not isinstance(content, dict) or not isinstance(content.get("parts"), list):
            raise _malformed('it has no list of "parts"')
        if content.get("complete") is not True:
            raise _malformed("the listing is not complete")
        parts = tuple(_parse_part(part) for part in content["parts"])
        warnings = content.get("warnings", [])
        if not isinstance(warnings, list) or not all(isinstance(each, str) for each in warnings):
            raise _malformed('"warnings" is not a list of texts')
        manifest = cls(
            parts, _count(content, "users"), _count(content, "pages"), warnings=tuple(warnings)
        )
        lines = sum(part.lines for part in parts)
        if lines != manifest.users:
            raise _malformed(f"its parts have {lines} lines for {manifest.users} users")
        if len({part.key for part in parts}) != len(parts):
            raise _malformed("it names a part twice")
        return manifest


def _parse_part(part: object) -> Part:
    if not isinstance(part, dict) or not isinstance(part.get("key"), str) or not part["key"]:
        raise _malformed('a part has no "key"')
    return Part(part["key"], _count(part, "lines"))


def _count(content: dict[str, Any], field: str) -> int:
    value = content.get(field)
    if type(value) is not int or value < 0:  # a bool is an int to isinstance
        raise _malformed(f'"{field}" is not a count')
    return value


def _malformed(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The manifest of the Cognito users' listing cannot be used: {why}. Start a new execution,"
        " which lists the pool again."
    )

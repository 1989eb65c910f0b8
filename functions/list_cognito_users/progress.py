"""A listing that another invocation goes on with: the manifest while it is not complete.

It is one file with the complete manifest, so that what is written last always says where the
listing stands. UpdateDb refuses it for its `complete`.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from common.aws.exchange import Exchange
from common.errors import ConfigurationError
from common.manifest import MANIFEST_NAME, Manifest, Part
from list_cognito_users.chain import Chain

# A role that may read a file but not list the bucket is told that a missing one is forbidden.
MISSING = frozenset({"NoSuchKey", "AccessDenied"})


@dataclass(slots=True)
class Progress:
    """The chains of a listing.

    A new one is a single chain of all users, until its first users tell which chains there
    must be (`is_chosen`). `missing` are the subs of those first users that no chain has listed
    since.
    """

    chains: list[Chain]
    is_chosen: bool = False
    missing: set[str] = field(default_factory=set)

    @classmethod
    def new(cls) -> "Progress":
        """Return the progress of a listing that has not begun."""
        return cls([Chain("")])

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part that is written."""
        return tuple(part for chain in self.chains for part in chain.parts)

    @property
    def pages(self) -> int:
        """The pages that the listing consists of so far."""
        return sum(chain.pages for chain in self.chains)

    @property
    def users(self) -> int:
        """The users in the parts that are written."""
        return sum(chain.users for chain in self.chains)

    @property
    def skipped(self) -> int:
        """The users among them with a value that cannot be stored."""
        return sum(chain.skipped for chain in self.chains)

    def manifest(self, *warnings: str) -> Manifest:
        """Return the manifest of the listing that these chains have completed."""
        return Manifest(self.parts, self.users, self.pages, warnings=warnings)

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's fields, `complete` being false, with the chains' positions.

        `"parts": [{"key", "lines", "chain"}], "chains": [{"prefix", "token", "done", "pages",
        "restarts", "skipped"}], "missing": [sub]`.
        """
        parts = [
            {"key": part.key, "lines": part.lines, "chain": chain.prefix}
            for chain in self.chains
            for part in chain.parts
        ]
        chains = [
            {
                "prefix": chain.prefix,
                "token": chain.token,
                "done": chain.is_done,
                "pages": chain.pages,
                "restarts": chain.restarts,
                "skipped": chain.skipped,
            }
            for chain in self.chains
        ]
        counts = {"users": self.users, "pages": self.pages, "complete": False}
        return {"parts": parts, **counts, "chains": chains, "missing": sorted(self.missing)}


def load_progress(exchange: Exchange) -> Progress:
    """Return where this execution's listing stands; a new one if there is nothing to go on with.

    Raises:
        ConfigurationError: the bucket cannot be read, or the file is not ours.
    """
    try:
        content = exchange.read(exchange.key(MANIFEST_NAME))
    except ConfigurationError as error:
        if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in MISSING:
            return Progress.new()
        raise
    try:
        fields = json.loads(content)
        return Progress.new() if fields["complete"] else _parse(fields)
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{exchange.uri(MANIFEST_NAME)} is not a listing's manifest. Start a new execution,"
            " which lists the pool again."
        ) from None


def save_progress(progress: Progress, exchange: Exchange) -> None:
    """Write where the listing stands, for the next invocation, which must be able to read it.

    Raises:
        ConfigurationError: it cannot be read again: each invocation would begin anew.
        StagingSyncError: S3 failed.
    """
    exchange.write_json(MANIFEST_NAME, progress.to_json())
    with exchange.open(exchange.key(MANIFEST_NAME)):
        pass


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _parse(fields: dict[str, Any]) -> Progress:
    parts: dict[str, list[Part]] = {}
    for part in fields["parts"]:
        parts.setdefault(part["chain"], []).append(Part(part["key"], part["lines"]))
    chains = [
        Chain(
            prefix=chain["prefix"],
            token=chain["token"],
            is_done=chain["done"],
            pages=chain["pages"],
            restarts=chain["restarts"],
            skipped=chain["skipped"],
            parts=parts.get(chain["prefix"], []),
        )
        for chain in fields["chains"]
    ]
    return Progress(chains, is_chosen=True, missing=set(fields["missing"]))

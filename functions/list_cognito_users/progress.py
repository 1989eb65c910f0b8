"""The progress of a listing that takes several invocations.

It is stored under the name of the manifest and replaced by it in the end, so that one file always
says how far the listing is. UpdateDb refuses it, since its `complete` is false.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from common.aws.exchange import Exchange
from common.errors import ConfigurationError
from common.manifest import MANIFEST_NAME, Manifest, Part
from list_cognito_users.chain import Chain

# S3 answers AccessDenied for a missing file to a role that may read files and not list the bucket.
MISSING = frozenset({"NoSuchKey", "AccessDenied"})


@dataclass(slots=True)
class Progress:
    """The chains of a listing.

    A new one is a single chain of all users. Its first users show which chains the listing is
    divided into (`is_chosen`). `missing` are the subs of those first users that none of these
    chains has listed yet.
    """

    chains: list[Chain]
    is_chosen: bool = False
    missing: set[str] = field(default_factory=set)

    @classmethod
    def new(cls) -> "Progress":
        """Return the progress of a listing that has not started."""
        return cls([Chain("")])

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part that is written."""
        return tuple(part for chain in self.chains for part in chain.parts)

    @property
    def pages(self) -> int:
        """How many pages are read so far."""
        return sum(chain.pages for chain in self.chains)

    @property
    def users(self) -> int:
        """How many users are in the parts that are written."""
        return sum(chain.users for chain in self.chains)

    @property
    def skipped(self) -> int:
        """How many of the users have a value that PostgreSQL cannot store."""
        return sum(chain.skipped for chain in self.chains)

    def manifest(self, *warnings: str) -> Manifest:
        """Return the manifest of the complete listing."""
        return Manifest(self.parts, self.users, self.pages, warnings=warnings)

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's fields, with a false `complete`, and the chains' positions.

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
    """Return the progress of this execution's listing; a new one if none is saved.

    Raises:
        ConfigurationError: the bucket cannot be read, or the file is not a manifest.
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
    """Save the progress for the next invocation, and check that it can be read.

    Raises:
        ConfigurationError: it cannot be read, so that every invocation would start from the first
            page.
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

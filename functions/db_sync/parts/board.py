"""What the keepers, the parts and FinishSync tell each other, in files of the exchange bucket.

S3 is strongly consistent: whoever reads a file after it was written sees what was written.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # boto3 takes long to import, and the command's processes need none of it
    from common.aws.exchange import Exchange

KEEPERS = ("a", "b")
END = "parts/end.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot that a keeper holds.

    Attributes:
        snapshot: its id on production's server.
        epoch: 1, and one more each time that the snapshot was lost and another one taken.
        taken_at: the moment that it shows, ISO 8601 in UTC; the same for all ids of an epoch.
        kept_until: when the keeper means to end its turn, in seconds since 1970.
    """

    snapshot: str
    epoch: int
    taken_at: str
    kept_until: float


@dataclass(frozen=True, slots=True)
class End:
    """FinishSync's word that the snapshots up to an epoch are not needed any more.

    Attributes:
        epoch: the epoch.
        failed: whether the sync has failed; a redrive of the execution begins the next epoch.
        at: when that was said, in seconds since 1970.
    """

    epoch: int
    failed: bool
    at: float = field(default_factory=time.time)


class Snapshots(Protocol):
    """Where parts find the snapshots that are kept."""

    def kept(self) -> list[Kept]:
        """Return what either keeper wrote last: the newest epoch first, then the latest end."""

    def end(self) -> End | None:
        """Return FinishSync's last word; None if it has said nothing yet."""


class Board(Snapshots, Protocol):
    """Where keepers and FinishSync also write."""

    def keep(self, keeper: str, kept: Kept) -> None:
        """Write what keeper "a" or "b" holds."""

    def write_end(self, end: End) -> None:
        """Write FinishSync's word."""


@dataclass(frozen=True, slots=True)
class BucketBoard:
    """The board of an execution, in its folder of the exchange bucket."""

    exchange: "Exchange"

    def kept(self) -> list[Kept]:
        """See `Board`."""
        found = [self._read(_file(keeper)) for keeper in KEEPERS]
        return sort_kept(Kept(**content) for content in found if content)

    def keep(self, keeper: str, kept: Kept) -> None:
        """See `Board`."""
        self.exchange.write_json(_file(keeper), asdict(kept))

    def end(self) -> End | None:
        """See `Board`."""
        content = self._read(END)
        return End(**content) if content else None

    def write_end(self, end: End) -> None:
        """See `Board`."""
        self.exchange.write_json(END, asdict(end))

    def _read(self, name: str) -> Mapping[str, Any] | None:
        content = self.exchange.read_if_there(name)
        return None if content is None else json.loads(content)


def _file(keeper: str) -> str:
    return f"parts/keeper-{keeper}.json"


def sort_kept(kept: Iterable[Kept]) -> list[Kept]:
    """Return snapshots in the order of `Board.kept`."""
    return sorted(kept, key=lambda each: (-each.epoch, -each.kept_until))


@dataclass(frozen=True, slots=True)
class News:
    """All that is on a board at a moment."""

    kept: list[Kept]
    end: End | None

    @classmethod
    def of(cls, board: Snapshots) -> "News":
        """Read a board."""
        return cls(board.kept(), board.end())

    @property
    def current(self) -> list[Kept]:
        """The snapshots of the newest epoch, if that has not ended; the latest end first."""
        newest = self.last_epoch
        if self.end and self.end.epoch >= newest:
            return []
        return [kept for kept in self.kept if kept.epoch == newest]

    @property
    def last_epoch(self) -> int:
        """The newest epoch that anybody wrote of; 0 if nobody did."""
        ended = [self.end.epoch] if self.end else []
        return max([kept.epoch for kept in self.kept] + ended, default=0)

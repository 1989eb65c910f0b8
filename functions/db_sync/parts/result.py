"""What a piece found or did, as its file in the bucket says."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from common import errors
from common.errors import StagingSyncError
from common.reports.notices import Notice, as_json
from common.reports.sync import TableResult
from db_sync.parts.part import Piece


@dataclass(frozen=True, slots=True)
class PieceResult:
    """What was done in a piece of a division, as of which epoch of the snapshot.

    `tables` are a part's; `rows` is what a check counted. `taken_at`: the moment of the snapshot,
    ISO 8601 in UTC. With an `error`, by its class's name, nothing was done.
    """

    number: int
    attempt: int
    epoch: int
    taken_at: str = ""
    tables: tuple[TableResult, ...] = ()
    rows: int = 0
    notices: tuple[Notice, ...] = ()
    error: str | None = None
    message: str = ""
    reasons: tuple[str, ...] = field(default=())

    @classmethod
    def of_error(cls, piece: Piece, epoch: int, error: StagingSyncError) -> Self:
        """Return the result of a piece that failed in an epoch."""
        return cls(
            piece.number,
            piece.attempt,
            epoch,
            error=_public_name(error),
            message=error.message,
            reasons=error.reasons,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object, which `parse` reads."""
        return {**asdict(self), "notices": as_json(self.notices)}

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return the result in a file that `as_json` was written to."""
        found: Mapping[str, Any] = json.loads(content)
        tables = tuple(TableResult(**table) for table in found["tables"])
        notices = tuple(map(Notice.parse, found["notices"]))
        reasons = tuple(found["reasons"])
        return cls(**{**found, "tables": tables, "notices": notices, "reasons": reasons})


def _public_name(error: StagingSyncError) -> str:
    """Return the name of the error's class in `common.errors`: some have subclasses elsewhere."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def added_up(results: Iterable[PieceResult]) -> tuple[TableResult, ...]:
    """Return one result per table, of all its parts and their attempts, by name.

    The rows and ranges of a table are those of its parts' last attempts.
    """
    by_table: dict[str, dict[int, list[TableResult]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        for table in result.tables:
            by_table[table.table][result.number].append(table)
    return tuple(_added_up(parts) for _, parts in sorted(by_table.items()))


def _added_up(parts: Mapping[int, Sequence[TableResult]]) -> TableResult:
    last = [attempts[-1] for attempts in parts.values()]
    every = [attempt for attempts in parts.values() for attempt in attempts]
    changed = [each for each in every if each.action != "none"]
    ways = {each.action for each in changed}
    seconds: dict[str, float] = defaultdict(float)
    for each in every:
        for phase, taken in each.seconds.items():
            seconds[phase] = round(seconds[phase] + taken, 3)
    return TableResult(
        table=last[0].table,
        action="none" if not ways else "merge" if "merge" in ways else "copy",
        reason=changed[0].reason if changed else last[0].reason,
        rows=sum(each.rows for each in last),
        rows_inserted=sum(each.rows_inserted for each in every),
        rows_updated=sum(each.rows_updated for each in every),
        rows_deleted=sum(each.rows_deleted for each in every),
        rows_unlinked=sum(each.rows_unlinked for each in every),
        ranges=sum(each.ranges for each in last),
        ranges_changed=sum(each.ranges_changed for each in every),
        bytes=sum(each.bytes for each in every),
        seconds=dict(seconds),
    )

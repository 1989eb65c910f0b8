"""What a sync did: a summary for the execution's output, and all of it for `db-sync.json`."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from common.reports.notices import Notice, as_json

REPORT = "db-sync.json"
# A state's output is limited to 256 KiB, and nobody reads more than this anyway.
WARNINGS_IN_OUTPUT = 20
WARNING_IN_OUTPUT = 2000  # characters

type Status = Literal["synced", "unchanged", "dry_run"]


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were written (or would be, in a dry run)."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unlinked: int = 0

    def counts(self) -> dict[str, int]:
        """Return them by the names that a `TableResult` has for them."""
        return {f"rows_{kind}": count for kind, count in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class TableResult:
    """What was done to one table (or would be, in a dry run), and why; no row contents."""

    table: str
    action: Literal["none", "merge", "copy"]
    reason: str
    rows: int  # in the source
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_unlinked: int = 0
    ranges: int = 0  # how many the table was compared in
    ranges_changed: int = 0
    bytes: int = 0  # as COPY sent them
    seconds: dict[str, float] = field(default_factory=dict)  # by phase


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did.

    `snapshot` is the moment of the source's snapshot, `started_at` when the comparison began, both
    ISO 8601 in UTC. `masked` are the columns that rules mask, each with how; `unmasked` those that
    look personal and have no rule, each with what looks so. `following` are the columns that hold
    subs, each with the one that it follows, and why. `left_alone` are the tables that were not
    synced, each with the reason. `atomic`: whether it was done in one transaction, and not in
    parts.
    """

    status: Status
    verified: bool
    tables: tuple[TableResult, ...]
    left_alone: dict[str, str]
    masked: dict[str, str]
    following: dict[str, str]
    sequences: tuple[str, ...]
    notices: tuple[Notice, ...]
    duration_seconds: float
    snapshot: str
    source_version: int
    target_version: int
    atomic: bool = True
    started_at: str = ""
    unmasked: dict[str, str] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of the notices."""
        return tuple(map(str, self.notices))

    def output(self) -> dict[str, Any]:
        """Return the `db_sync` object of the execution's output, without its report."""
        return {
            "status": self.status,
            "tables": len(self.tables),
            "tables_changed": sum(table.action != "none" for table in self.tables),
            "rows_inserted": sum(table.rows_inserted for table in self.tables),
            "rows_updated": sum(table.rows_updated for table in self.tables),
            "rows_deleted": sum(table.rows_deleted for table in self.tables),
            "verified": self.verified,
            "atomic": self.atomic,
            "duration_seconds": self.duration_seconds,
            "warnings": self._first_warnings(),
        }

    def _first_warnings(self) -> list[str]:
        """Return as many warnings as an output may have; the report has them all."""
        first = [
            textwrap.shorten(warning, WARNING_IN_OUTPUT, placeholder=" …")
            for warning in self.warnings[:WARNINGS_IN_OUTPUT]
        ]
        if rest := len(self.warnings) - len(first):
            first.append(f"{rest} more warnings are in the report.")
        return first

    def report(self) -> dict[str, Any]:
        """Return all of it, for `db-sync.json`; `parse` reads it."""
        return {**asdict(self), "notices": as_json(self.notices)}

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Return the result in the content of a `db-sync.json` of a sync that did not fail."""
        lists = {
            "tables": tuple(TableResult(**table) for table in found["tables"]),
            "notices": tuple(map(Notice.parse, found["notices"])),
            "sequences": tuple(found["sequences"]),
        }
        return cls(**{**found, **lists})

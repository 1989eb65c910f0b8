"""What the page is made of: how the execution ended, what its steps left, and earlier runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from common.event import ExecutionInput
from common.reports.failure import Failure
from common.reports.remap import RemapResult
from common.reports.sync import SyncResult


class Status(StrEnum):
    """How an execution ended, in the words of Step Functions."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class Staging(StrEnum):
    """What an execution left staging's rows as; `write_report.verdict.judge` finds out."""

    EQUAL = "equal"  # to the snapshot of production
    KEPT = "kept"  # as they were before it
    EITHER = "either"  # old or new, never half: nobody saw whether it was committed
    BETWEEN = "between"  # partly old and partly new: a sync in parts that did not end


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that ended, or a run of the command `db-sync`.

    `started_at` and `ended_at` are ISO 8601 in UTC. `given` is the input as it was given, JSON of
    any form; `input` what it asks for, None if the workflow does not accept it. `error` and `cause`
    are those of Step Functions: empty unless it failed, or if they were too large or encrypted.
    `console`: the address of the execution in AWS's console; empty for the command.
    """

    name: str
    status: Status
    started_at: str
    ended_at: str
    given: str
    input: ExecutionInput | None
    error: str = ""
    cause: str = ""
    console: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What listing staging's pool found so far; `is_complete`: whether that is all of it."""

    users: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """One run as the next ones compare themselves with it; it travels in the page's metadata.

    `started_at`, `ended_at` and `snapshot` are ISO 8601 in UTC. `sync` is the sync's status; None
    if none was done, or not to its end. `rows`: how many were written. `linked` and `left_out`: how
    many people have their sub, and how many were skipped or lost it; None without a remap.
    `staging`: the verdict's.
    """

    execution: str
    status: Status
    started_at: str
    ended_at: str
    seconds: float
    dry_run: bool = False
    error: str = ""
    sync: str | None = None
    snapshot: str = ""
    tables_changed: int | None = None
    rows: int | None = None
    linked: int | None = None
    left_out: int | None = None
    warnings: int = 0
    staging: Staging = Staging.KEPT

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object, which `parse` reads."""
        return asdict(self)

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Return the summary in a JSON object."""
        enums = {
            "status": Status(found["status"]),
            "staging": Staging(found.get("staging", Staging.KEPT)),
        }
        return cls(**{**found, **enums})


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows.

    `sync` and `remap` are what the step did, or why it failed; None if it was not begun, or has
    left nothing. `is_divided`: whether the sync was divided into parts (`parts/parts.json` is
    there). `unreadable` are files that are there and could not be read. `previous`: the runs before
    this one that the bucket still holds, the oldest first. `files`: the addresses of the
    execution's files, by their names.
    """

    execution: Execution
    sync: SyncResult | Failure | None = None
    remap: RemapResult | Failure | None = None
    listing: Listing | None = None
    is_divided: bool = False
    unreadable: tuple[str, ...] = ()
    previous: tuple[Summary, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

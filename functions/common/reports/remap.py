"""What a remap did, as counts only, since many can read the execution's output.

Who is who is in `cognito-mapping.csv.gz`, a line per person.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from common.reports.notices import Notice, as_json

PEOPLE = "cognito-mapping.csv.gz"
REPORT = "cognito-mapping.json"


@dataclass(frozen=True, slots=True)
class RemapCounts:
    """How many rows, or emails of the pool without a row, each case has."""

    updated: int
    unchanged: int
    skipped_no_cognito_user: int
    skipped_no_db_user: int
    skipped_ambiguous: int
    unlinked: int
    mismatched: int
    unverified_email: int

    @property
    def matched(self) -> int:
        """More than 0 if any row has the email of a user of the pool, whatever happens to it."""
        return self.updated + self.unchanged + self.skipped_ambiguous + self.unverified_email

    def output(self) -> dict[str, int]:
        """Return the counts as the execution's output has them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RemapResult:
    """What a remap did, or in a dry run would do.

    `followers`: how many rows followed, by the names of the columns that follow. `people`: the
    address of the file with a line per person. `pool_users`: how many users the pool has.
    `started_at`: ISO 8601 in UTC.
    """

    counts: RemapCounts
    followers: Mapping[str, int]
    notices: tuple[Notice, ...]
    people: str
    pool_users: int = 0
    dry_run: bool = False
    started_at: str = ""
    duration_seconds: float = 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of the notices."""
        return tuple(map(str, self.notices))

    def report(self) -> dict[str, Any]:
        """Return all of it, for `cognito-mapping.json`; `parse` reads it."""
        return {**asdict(self), "notices": as_json(self.notices)}

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Return the result in the `cognito-mapping.json` of a remap that did not fail."""
        return cls(
            **{
                **found,
                "counts": RemapCounts(**found["counts"]),
                "notices": tuple(map(Notice.parse, found["notices"])),
            }
        )

"""What a remap did, as counts only, since many can read the execution's output."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass


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
    """The counts, the warnings, and the report's address.

    `followers`: how many rows followed, by the names of the columns that follow.
    """

    counts: RemapCounts
    followers: Mapping[str, int]
    warnings: tuple[str, ...]
    report: str

"""What a remap did: counts alone, since the execution's output is readable by many."""

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
        """More than 0 where a row and a user of the pool have one email, whatever comes of it."""
        return self.updated + self.unchanged + self.skipped_ambiguous + self.unverified_email

    def output(self) -> dict[str, int]:
        """Return the counts as the execution's output has them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RemapResult:
    """The counts, what a person should look at, and the report's address."""

    counts: RemapCounts
    warnings: tuple[str, ...]
    report: str

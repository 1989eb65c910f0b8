"""How a sync ends: what differs is written and committed, or counted and nothing stays."""

from typing import Protocol

from common.errors import ConfigurationError
from common.postgres.commits import commit
from common.postgres.target import is_marked, require_marked
from db_sync.compare.outcomes import Compared
from db_sync.plan.tables import Plan
from db_sync.result import Status, TableResult
from db_sync.run import Run
from db_sync.write import sequences
from db_sync.write.sequences import Positions, WantedPositions
from db_sync.write.tables import count_differences, write_differences
from db_sync.write.views import refresh_views


class Finisher(Protocol):
    """What a sync that writes and a dry run do differently."""

    is_verified: bool

    def check_mark(self) -> None:
        """See that the target may be changed.

        Raises:
            TargetNotAllowed: it is not marked as a sync target.
        """

    def warnings(self) -> list[str]:
        """Return what a person should know of the target before anything is done to it."""

    def refuse(self, reasons: list[str]) -> list[str]:
        """Return reasons not to write as warnings.

        Raises:
            ConfigurationError: there is one, and something would be written.
        """

    def change_tables(self, compared: Compared, plan: Plan) -> tuple[list[TableResult], list[str]]:
        """Make the tables that differ equal, or count their changes; see `write.tables`."""

    def update_dependents(
        self, compared: Compared, wanted: WantedPositions
    ) -> tuple[Positions, list[str]]:
        """Bring materialized views and sequences in line with the rows.

        Args:
            compared: the tables that were written.
            wanted: where the source's sequences stand, by those of the target that follow them.

        Returns:
            The sequences that have moved, and warnings.
        """

    def status(self, *, has_changes: bool) -> Status:
        """Return the result's status."""

    def end(self) -> None:
        """End the target's transaction."""


class Write:
    """Writes what differs, and commits it."""

    is_verified = True

    def __init__(self, run: Run) -> None:
        """Write in a run's target."""
        self._run = run
        self._exhausted: Positions = {}

    def check_mark(self) -> None:
        """See `Finisher`."""
        require_marked(self._run.target)

    def warnings(self) -> list[str]:
        """Return nothing: what speaks against writing is an error."""
        return []

    def refuse(self, reasons: list[str]) -> list[str]:
        """See `Finisher`."""
        if reasons:
            raise ConfigurationError("Nothing was written.", reasons)
        return []

    def change_tables(self, compared: Compared, plan: Plan) -> tuple[list[TableResult], list[str]]:
        """Write the tables."""
        return write_differences(self._run, compared, plan)

    def update_dependents(
        self, compared: Compared, wanted: WantedPositions
    ) -> tuple[Positions, list[str]]:
        """Refresh views and set sequences, but those that can only be set at the commit."""
        warnings = refresh_views(self._run, [plan.target.oid for plan in compared.plans])
        moved = sequences.outdated(self._run.target, wanted)
        sequences.restart(self._run.target, moved)
        self._exhausted = {name: at for name, at in moved.items() if at.is_exhausted}
        return moved, warnings

    def status(self, *, has_changes: bool) -> Status:
        """See `Finisher`."""
        return "synced" if has_changes else "unchanged"

    def end(self) -> None:
        """Commit; set the exhausted sequences directly before that."""
        sequences.set_exhausted(self._run.target, self._exhausted)
        commit(self._run.target)


class Count:
    """Counts what differs: a dry run."""

    is_verified = False

    def __init__(self, run: Run) -> None:
        """Count in a run's target."""
        self._run = run

    def check_mark(self) -> None:
        """Allow any target, since nothing is written."""

    def warnings(self) -> list[str]:
        """Return what would refuse a sync that writes."""
        target = self._run.target
        warnings = target.lock_room.warnings()
        if not is_marked(target):
            warnings.append(
                "The target is not marked as a sync target: a sync that writes will refuse it."
            )
        return warnings

    def refuse(self, reasons: list[str]) -> list[str]:
        """Return them as warnings."""
        return [f"A sync that writes will be refused: {reason}" for reason in reasons]

    def change_tables(self, compared: Compared, plan: Plan) -> tuple[list[TableResult], list[str]]:
        """Count the changes of the tables."""
        return count_differences(self._run, compared, plan)

    def update_dependents(
        self,
        compared: Compared,  # noqa: ARG002  # views are not looked at
        wanted: WantedPositions,
    ) -> tuple[Positions, list[str]]:
        """Return which sequences a sync would set."""
        return sequences.outdated(self._run.target, wanted), []

    def status(self, *, has_changes: bool) -> Status:  # noqa: ARG002  # the same either way
        """See `Finisher`."""
        return "dry_run"

    def end(self) -> None:
        """Roll back."""
        self._run.target.rollback()


def finisher_of(run: Run) -> Finisher:
    """Return how a run ends."""
    return Count(run) if run.options.dry_run else Write(run)

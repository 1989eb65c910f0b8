"""How a sync ends: what differs is written and committed, or counted and nothing stays."""

from dataclasses import dataclass
from typing import Protocol

from common.errors import ConfigurationError
from common.postgres.commits import commit
from common.postgres.database import Session
from common.postgres.settings.event_triggers import silenced
from common.postgres.settings.privileged_settings import WRITING, require_privileged
from common.postgres.target import (
    is_marked,
    lock_writing,
    not_marked,
    require_locked,
    require_marked,
)
from common.reports.notices import Notice, Topic
from common.reports.sync import Status, TableResult
from db_sync.compare.moment import Moment
from db_sync.compare.outcomes import Compared
from db_sync.parallel import allow_parallel_verification
from db_sync.plan.tables import Plan
from db_sync.plan.wording import refused
from db_sync.planner import prepare
from db_sync.run import Run
from db_sync.write import sequences
from db_sync.write.locking import Locked, lock_differences
from db_sync.write.row_security import force_again
from db_sync.write.sequences import Positions, WantedPositions
from db_sync.write.tables import count_differences, write_differences
from db_sync.write.views import refresh_views


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison found.

    `moment` is the target's, `wanted` where the source's sequences stand, by those of the target
    that follow them.
    """

    plan: Plan
    compared: Compared
    moment: Moment
    wanted: WantedPositions


@dataclass(frozen=True, slots=True)
class Finished:
    """What was done, or would be; `compared` is what was found in the end."""

    compared: Compared
    changed: list[TableResult]
    sequences: Positions
    notices: list[Notice]


class Finisher(Protocol):
    """What a sync that writes and a dry run do differently."""

    is_verified: bool

    def check_mark(self) -> None:
        """See that the target may be changed.

        Raises:
            TargetNotAllowed: it is not marked as a sync target.
        """

    def notices(self) -> list[Notice]:
        """Return what a person should know of the target before anything is done to it."""

    def refuse(self, reasons: list[str]) -> list[Notice]:
        """Return reasons not to write as notices.

        Raises:
            ConfigurationError: there is one, and something would be written.
        """

    def finish(self, findings: Findings) -> Finished | None:
        """Write what was found, all but the commit; or count it, in the transaction that found it.

        Returns:
            None if the schema has changed since, so that all must be compared again.
        """

    def status(self, *, has_changes: bool) -> Status:
        """Return the result's status."""

    def end(self) -> None:
        """End the target's transaction."""


class Write:
    """Writes what differs, and commits it."""

    is_verified = True

    def __init__(self, run: Run, lock_session: Session) -> None:
        """Write in a run's target, whose lock another session holds."""
        self._run = run
        self._lock_session = lock_session
        self._exhausted: Positions = {}

    def check_mark(self) -> None:
        """See `Finisher`."""
        require_marked(self._run.target)

    def notices(self) -> list[Notice]:
        """Return nothing: what speaks against writing is an error."""
        return []

    def refuse(self, reasons: list[str]) -> list[Notice]:
        """See `Finisher`."""
        if reasons:
            raise ConfigurationError("Nothing was written.", reasons)
        return []

    def finish(self, findings: Findings) -> Finished | None:
        """Write in a transaction of its own, if there is anything to write.

        The one that compared is ended before that: its locks would keep others waiting, and in it
        a row that was written since its snapshot could not be changed.
        """
        target = self._run.target
        outdated = sequences.outdated(target, findings.wanted)
        target.rollback()
        if not findings.compared.differences and not outdated:
            self._run.source.commit()
            return Finished(findings.compared, [], {}, [])
        target.begin()
        require_privileged(target, WRITING)
        require_locked(target)
        lock_writing(target)
        prepare(target)
        allow_parallel_verification(self._run)
        harmless = self._run.options.rules.event_triggers_ok
        with silenced(target, are_harmless=harmless, dry_run=False):
            locked = lock_differences(self._run, findings.plan, findings.compared, findings.moment)
            return self._write(locked, findings.wanted) if locked else None

    def _write(self, locked: Locked, wanted: WantedPositions) -> Finished:
        """Write the tables, and bring materialized views and sequences in line with them."""
        target, compared = self._run.target, locked.compared
        changed, notices = write_differences(self._run, compared, locked.plan)
        force_again(target, locked.tables)
        notices += locked.notices
        notices += refresh_views(self._run, [plan.target.oid for plan in compared.plans])
        moved = sequences.outdated(target, wanted)
        sequences.restart(target, moved)
        # Those can only be set at the commit.
        self._exhausted = {name: at for name, at in moved.items() if at.is_exhausted}
        return Finished(compared, changed, moved, notices)

    def status(self, *, has_changes: bool) -> Status:
        """See `Finisher`."""
        return "synced" if has_changes else "unchanged"

    def end(self) -> None:
        """Commit, if anything was written; set the exhausted sequences directly before that."""
        target = self._run.target
        if not target.is_in_transaction:
            return
        sequences.set_exhausted(target, self._exhausted)
        self._lock_session.row("SELECT 1")  # it must still hold the lock
        commit(target)


class Count:
    """Counts what differs: a dry run."""

    is_verified = False

    def __init__(self, run: Run) -> None:
        """Count in a run's target."""
        self._run = run

    def check_mark(self) -> None:
        """Allow any target, since nothing is written."""

    def notices(self) -> list[Notice]:
        """Return what would refuse a sync that writes."""
        target = self._run.target
        notices = [Notice(text, Topic.REFUSED) for text in target.lock_room.warnings()]
        if not is_marked(target):
            notices.append(not_marked(target, "sync"))
        return notices

    def refuse(self, reasons: list[str]) -> list[Notice]:
        """Return them as notices."""
        return [refused(reason) for reason in reasons]

    def finish(self, findings: Findings) -> Finished:
        """Count the changes of the tables and sequences; materialized views are not looked at."""
        changed, notices = count_differences(self._run, findings.compared, findings.plan)
        moved = sequences.outdated(self._run.target, findings.wanted)
        return Finished(findings.compared, changed, moved, notices)

    def status(self, *, has_changes: bool) -> Status:  # noqa: ARG002  # the same either way
        """See `Finisher`."""
        return "dry_run"

    def end(self) -> None:
        """Roll back."""
        self._run.target.rollback()


def finisher_of(run: Run, lock_session: Session) -> Finisher:
    """Return how a run ends; `lock_session` holds the target's lock."""
    return Count(run) if run.options.dry_run else Write(run, lock_session)

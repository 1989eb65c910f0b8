"""The sync: the target's rows made equal to the source's, in one transaction, verified.

`sync_database` is the engine's only entry point, for the Lambda and for the command. Its steps are
those of docs/architecture.md: check, plan, snapshots, compare, lock, write, verify, finish.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from common.errors import DatabaseUnavailable
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from common.postgres.locking.deadlocks import twice_at_most
from common.postgres.settings.event_triggers import silenced
from common.postgres.settings.privileged_settings import WRITING, require_privileged
from common.postgres.target import lock_target, require_locked, require_source_apart
from common.reports.notices import Notice
from common.reports.sync import SyncResult
from db_sync.compare.extensions import warn_of_added_rows
from db_sync.compare.fingerprint import require_alike
from db_sync.compare.moment import Moment
from db_sync.compare.tables import compare_tables
from db_sync.finish import Findings, Finished, Finisher, finisher_of
from db_sync.follow.people import load_people, look_for_lacking
from db_sync.follow.telling import warn_of_unnamed
from db_sync.parallel import allow_parallel_comparison
from db_sync.parts.sizes import watch
from db_sync.plan.sequences import plan_sequences
from db_sync.plan.snapshot import PLANNING_ATTEMPTS, Snapshots, changing, open_snapshots
from db_sync.plan.tables import Plan
from db_sync.run import Run, SyncOptions, sessions
from db_sync.write import sequences
from db_sync.write.mask_trial import require_samples_fit, require_sound_masks
from db_sync.write.relinking import find_unlinking
from db_sync.write.row_security import stop_forcing
from db_sync.write.sequences import WantedPositions

TWO_CONNECTIONS = (
    "A sync has two connections to the target open at the same time: a pooler in between must allow"
    " both."
)

type SaveReport = Callable[[SyncResult], None]


def sync_database(
    source_address: DatabaseAddress,
    target_address: DatabaseAddress,
    options: SyncOptions,
    save_report: SaveReport = lambda _: None,
) -> SyncResult:
    """Make the target's rows equal to the source's, or say what that would take.

    Args:
        source_address: production; only read.
        target_address: staging; changed in one transaction, or not at all.
        options: rules, dry run, deadline.
        save_report: called with the result before the commit, so that nothing is committed
            whose report could not be written.

    Raises:
        StagingSyncError: one of `common.errors`; the target is as it was.
    """
    execution, waits = options.execution, options.waits
    with (
        sessions(source_address, target_address, options) as run,
        connect(target_address, "target", execution=execution, waits=waits) as lock_session,
    ):
        return twice_at_most(
            lambda: _sync(run, lock_session, save_report), run.target, run.source, lock_session
        )


def _sync(run: Run, lock_session: Session, save_report: SaveReport) -> SyncResult:
    """Do all steps, from the check to the commit."""
    finisher = finisher_of(run, lock_session)
    notices = _check(run, lock_session, finisher)
    began, started = datetime.now(UTC), time.monotonic()
    result = _make_equal(run, finisher, notices)
    result = replace(
        result,
        started_at=began.isoformat(timespec="milliseconds"),
        duration_seconds=round(time.monotonic() - started, 3),
    )
    for warning in result.warnings:
        logger.warning("sync needs a look", warning=warning)
    save_report(result)
    finisher.end()
    return result


def _check(run: Run, lock_session: Session, finisher: Finisher) -> list[Notice]:
    """Check that the target may be written, and take its lock.

    The lock belongs to a session of its own: the target is compared in one transaction and written
    in another. It reads no table, so that it holds back no vacuum.

    Returns:
        Notices.

    Raises:
        TargetNotAllowed, SyncInProgress, OutOfTime: see the functions that it calls.
    """
    source, target = run.source, run.target
    run.limit("the databases were checked")
    lock_session.begin()
    try:
        target.begin()
    except DatabaseUnavailable as error:
        raise error.adding(TWO_CONNECTIONS) from error
    # Both are open while the lock is waited for: a session that is idle outside of a transaction
    # has the role's limits.
    with source.transaction():
        target.learn_names()
        require_privileged(target, WRITING)
        source.learn_names()
        require_source_apart(source, target)
        finisher.check_mark()
        lock_target(lock_session)
        require_locked(target)
        require_alike(source, target)
        notices = finisher.notices()
    target.rollback()
    return notices


def _make_equal(run: Run, finisher: Finisher, notices: list[Notice]) -> SyncResult:
    """Plan, compare, write and verify; all is done then but the commit."""
    for _ in range(PLANNING_ATTEMPTS):
        snapshots = open_snapshots(run)
        findings, found = _compare(run, finisher, snapshots)
        if finished := finisher.finish(findings):
            return _result(
                run, finisher, snapshots, finished, notices + findings.plan.notices + found
            )
        run.target.rollback()
        run.source.rollback()
    raise changing(run.target)


def _compare(run: Run, finisher: Finisher, snapshots: Snapshots) -> tuple[Findings, list[Notice]]:
    """Find out what differs, and whether it may be written; no table is locked for that.

    Returns:
        That, and notices. The transactions of both sides are still open.
    """
    plan, target = snapshots.plan, run.target
    watch(run, plan)
    harmless = run.options.rules.event_triggers_ok
    # The target's transaction is rolled back.
    allow_parallel_comparison(run)
    with silenced(target, are_harmless=harmless, dry_run=True) as event_triggers:
        require_sound_masks(run, plan)
        wanted, unreadable = _read_source_sequences(run, plan)
        unlike = warn_of_added_rows(run, plan.catalogs)
        unnamed = warn_of_unnamed(run, plan)
        stop_forcing(target, plan.tables)
        moment = Moment.of(target, [table.target.oid for table in plan.tables])
        run.people.clear()
        load_people(run, plan.people, plan.tables)
        compared = look_for_lacking(run, plan.people, compare_tables(run, plan.tables))
        run.pace.replacing({replace.plan.name for replace in compared.replacements})
        run.limit("the rows that differ were written")
        require_samples_fit(run, compared.plans)
        unlinking = finisher.refuse(find_unlinking(run, compared))
    notices = event_triggers + unlinking + unreadable + unlike + unnamed
    return Findings(plan, compared, moment, wanted), notices


def _result(
    run: Run, finisher: Finisher, snapshots: Snapshots, finished: Finished, notices: list[Notice]
) -> SyncResult:
    """Return what was done, without how long it took."""
    compared = finished.compared
    same = [table.result(dict(run.seconds[table.plan.name])) for table in compared.same]
    plan = snapshots.plan
    return SyncResult(
        status=finisher.status(has_changes=bool(compared.differences or finished.sequences)),
        verified=finisher.is_verified,
        tables=tuple(sorted(same + finished.changed, key=lambda table: table.table)),
        left_alone={str(table): reason for table, reason in plan.left_alone.items()},
        masked=plan.masks_told,
        unmasked=dict(plan.unmasked),
        following=plan.followers_told,
        sequences=tuple(str(sequence) for sequence in finished.sequences),
        notices=tuple(notices + finished.notices),
        duration_seconds=0.0,
        snapshot=snapshots.taken_at,
        source_version=run.source.server_version,
        target_version=run.target.server_version,
    )


def _read_source_sequences(run: Run, plan: Plan) -> tuple[WantedPositions, list[Notice]]:
    """Return the target's sequences with where those stand that they follow, and notices.

    Read right after the snapshot: a sequence only advances, so it is as far as the snapshot's
    rows or further.
    """
    planned, notices = plan_sequences(plan)
    return sequences.read_wanted(run.source, planned), notices

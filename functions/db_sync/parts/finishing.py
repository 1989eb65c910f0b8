"""What follows the parts: checks of all of them together, and what no part can do alone.

Called after each round. It says what the next round has to do, as long as there is something: parts
that failed, parts that were made equal to a snapshot that was lost, checks, and the parts of tables
that a check found wrong. In the end sequences and materialized views follow.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from common.postgres.commits import commit
from common.postgres.settings.event_triggers import silenced
from common.reports.notices import Notice
from common.reports.sync import SyncResult
from db_sync.compare.extensions import warn_of_added_rows
from db_sync.follow.telling import warn_of_unnamed
from db_sync.parts.board import Snapshots
from db_sync.parts.checking import count_all, violations, wrong_parts
from db_sync.parts.opening import begin_target, plan_as_divided
from db_sync.parts.part import Division
from db_sync.parts.progress import STAYS, NextRound, Progress, Results, once_more
from db_sync.parts.result import added_up
from db_sync.parts.shared_snapshot import begin_kept
from db_sync.plan.sequences import plan_sequences
from db_sync.plan.tables import Plan
from db_sync.run import Run
from db_sync.write import sequences
from db_sync.write.views import refresh_views
from db_sync.write.violations import Judge

type SaveReport = Callable[[SyncResult], None]


def finish(
    run: Run, division: Division, results: Results, board: Snapshots, save_report: SaveReport
) -> SyncResult | NextRound:
    """Finish a sync in parts, or return what is still to be done.

    Args:
        run: the run; both sessions are outside of a transaction.
        division: what was to be done.
        results: what has come of it.
        board: where the snapshot is found.
        save_report: called before the commit.

    Raises:
        VerificationFailed: the target does not become what the snapshot holds.
        SchemaMismatch: rows violate foreign keys of the target.
        StagingSyncError: what a part, or the finish itself, failed with.
    """
    begin_target(run)
    kept = begin_kept(run.source, board, [], has_policies=division.has_policies)
    progress = Progress.of(division, results, kept)
    plan = plan_as_divided(run, division)
    found = _check(run, plan, progress)
    if isinstance(found, NextRound):
        run.source.rollback()
        run.target.commit()  # the statistics that were updated
        return found
    return _complete(run, plan, progress, found, save_report)


def _check(run: Run, plan: Plan, progress: Progress) -> list[Notice] | NextRound:
    """Return notices if all is done and right, or what is to be done first."""
    if progress.left:
        return once_more(run, plan, progress, progress.left)
    counts = count_all(run, plan, progress)
    if isinstance(counts, NextRound):
        return counts
    if wrong := wrong_parts(run, plan, progress, counts):
        return once_more(run, plan, progress, wrong)
    judge = Judge(plan.catalogs.source, plan.tables, is_checked=False, so_far=STAYS)
    return judge.judge(violations(plan, counts))


def _complete(
    run: Run, plan: Plan, progress: Progress, notices: list[Notice], save_report: SaveReport
) -> SyncResult:
    """Set sequences, refresh statistics and materialized views, and commit."""
    source, target = run.source, run.target
    planned, unreadable = plan_sequences(plan)
    wanted = sequences.read_wanted(source, planned)
    unlike = warn_of_added_rows(run, plan.catalogs) + warn_of_unnamed(run, plan)
    source.commit()  # production need not hold back vacuum any longer
    changed = progress.changed(plan)
    harmless = run.options.rules.event_triggers_ok
    with silenced(target, are_harmless=harmless, dry_run=False) as firing:
        # All of them: an execution before this one, which failed, may have changed other tables.
        notices += firing + refresh_views(run, [table.target.oid for table in plan.tables])
        moved = sequences.outdated(target, wanted)
        sequences.restart(target, moved)
    told = [notice for result in progress.done for notice in result.notices]
    result = SyncResult(
        status="synced" if changed or moved else "unchanged",
        verified=True,
        tables=added_up(progress.done),
        left_alone={str(table): reason for table, reason in plan.left_alone.items()},
        masked=plan.masks_told,
        unmasked=dict(plan.unmasked),
        following=plan.followers_told,
        sequences=tuple(map(str, moved)),
        notices=tuple(dict.fromkeys(plan.notices + unlike + unreadable + told + notices)),
        started_at=_moment(progress.division.started),
        duration_seconds=round(time.time() - progress.division.started, 3),
        snapshot=progress.kept.taken_at,
        source_version=source.server_version,
        target_version=target.server_version,
        atomic=False,
    )
    save_report(result)
    sequences.set_exhausted(target, {name: at for name, at in moved.items() if at.is_exhausted})
    commit(target)
    return result


def _moment(seconds: float) -> str:
    """Return a moment, in seconds since the epoch, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

"""The sync: the target's rows made equal to the source's, in one transaction, verified.

`sync_database` is the engine's only entry point, for the Lambda and for the command. Its steps are
those of docs/architecture.md: check, plan, snapshot, compare, write, verify, finish.
"""

import time
from collections.abc import Callable

from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.postgres.locking.deadlocks import twice_at_most
from common.postgres.settings.event_triggers import silenced
from common.postgres.settings.function_names import find_names
from common.postgres.settings.privileged_settings import WRITING, require_privileged
from common.postgres.target import lock_target, require_source_apart
from db_sync.compare.extensions import warn_of_added_rows
from db_sync.compare.fingerprint import require_alike
from db_sync.compare.tables import compare_tables
from db_sync.finish import Finisher, finisher_of
from db_sync.parallel import allow_parallel_reads
from db_sync.plan.sequences import plan_sequences
from db_sync.plan.snapshot import open_snapshot, plan_sync
from db_sync.plan.tables import Plan
from db_sync.planner import prepare
from db_sync.result import SyncResult
from db_sync.run import Run, SyncOptions
from db_sync.write import sequences
from db_sync.write.mask_trial import require_samples_fit, require_sound_masks
from db_sync.write.relinking import find_unlinking
from db_sync.write.row_security import no_forced_row_security
from db_sync.write.sequences import WantedPositions

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
        connect(
            source_address, "source", execution=execution, read_only=True, waits=waits
        ) as source,
        connect(target_address, "target", execution=execution, waits=waits) as target,
    ):
        return twice_at_most(
            lambda: _sync(Run(source, target, options), save_report), target, source
        )


def _sync(run: Run, save_report: SaveReport) -> SyncResult:
    """Do all steps, from the check to the commit."""
    finisher = finisher_of(run)
    warnings = _check(run, finisher)
    harmless = run.options.rules.event_triggers_ok
    with silenced(run.target, are_harmless=harmless, dry_run=run.options.dry_run) as event_triggers:
        result = _make_equal(run, finisher, warnings + event_triggers)
    for warning in result.warnings:
        logger.warning("sync needs a look", warning=warning)
    save_report(result)
    finisher.end()
    return result


def _check(run: Run, finisher: Finisher) -> list[str]:
    """Check that the target may be written, begin its transaction and hold its lock.

    Returns:
        Warnings.

    Raises:
        TargetNotAllowed, SyncInProgress, OutOfTime: see the functions that it calls.
    """
    source, target = run.source, run.target
    run.limit("the databases were checked")
    target.begin()
    target.learn_names()
    require_privileged(target, WRITING)
    # Open while the target's lock is waited for: a session that is idle outside of a transaction
    # has the role's limits.
    with source.transaction():
        source.learn_names()
        require_source_apart(source, target)
        finisher.check_mark()
        lock_target(target)
        require_alike(source, target)
    prepare(target)
    return finisher.warnings()


def _make_equal(run: Run, finisher: Finisher, warnings: list[str]) -> SyncResult:
    """Plan, take the snapshot, compare, write and verify; all is done then but the commit."""
    started = time.monotonic()
    snapshot = open_snapshot(run, plan_sync(run))
    plan = snapshot.plan  # of the schemas as they are locked now
    allow_parallel_reads(run)
    find_names(run.target, plan.catalogs.target.function_paths)
    require_sound_masks(run, plan)
    wanted, unreadable = _read_source_sequences(run, plan)
    unlike = warn_of_added_rows(run, plan.catalogs)
    with no_forced_row_security(run.target, plan.tables):
        compared = compare_tables(run, plan.tables)
        require_samples_fit(run, compared.plans)
        unlinking = finisher.refuse(find_unlinking(run, compared))
        changed, found = finisher.change_tables(compared, plan)
    moved, unrefreshed = finisher.update_dependents(compared, wanted)
    same = [table.result(dict(run.seconds[table.plan.name])) for table in compared.same]
    return SyncResult(
        status=finisher.status(has_changes=bool(compared.differences or moved)),
        verified=finisher.is_verified,
        tables=tuple(sorted(same + changed, key=lambda table: table.table)),
        left_alone={str(table): reason for table, reason in plan.left_alone.items()},
        masked=_masked(plan),
        sequences=tuple(str(sequence) for sequence in moved),
        warnings=tuple(
            warnings + plan.warnings + unlinking + found + unrefreshed + unreadable + unlike
        ),
        duration_seconds=round(time.monotonic() - started, 3),
        snapshot=snapshot.taken_at,
        source_version=run.source.server_version,
        target_version=run.target.server_version,
    )


def _masked(plan: Plan) -> dict[str, str]:
    """Return the masked columns, each with its kind and where its rule comes from."""
    return {
        f"{table.name}.{column.name}": f"{column.mask.rule}, by {column.mask.because}"
        for table in plan.tables
        for column in table.masked
        if column.mask
    }


def _read_source_sequences(run: Run, plan: Plan) -> tuple[WantedPositions, list[str]]:
    """Return the target's sequences with where those stand that they follow, and warnings.

    Read right after the snapshot: a sequence only advances, so it is as far as the snapshot's
    rows or further.
    """
    planned, warnings = plan_sequences(plan)
    return sequences.read_wanted(run.source, planned), warnings

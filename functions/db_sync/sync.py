"""The sync: target's rows made equal to the source's, in one transaction, verified.

`sync_database` is the engine's one entrance; the Lambda and the command both call it.
"""

import time
from collections.abc import Callable

from common.log import logger
from common.postgres.commits import commit
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.postgres.locking.deadlocks import twice_at_most
from common.postgres.settings.event_triggers import silenced
from common.postgres.settings.function_names import find_names
from common.postgres.settings.privileged_settings import WRITING, require_privileged
from common.postgres.target import is_marked, lock_target, require_marked, require_source_apart
from db_sync.compare.extensions import warn_of_added_rows
from db_sync.compare.fingerprint import require_alike
from db_sync.compare.planner import prepare
from db_sync.compare.tables import compare_tables
from db_sync.plan.catalog import Catalog
from db_sync.plan.schemas import begin_reading
from db_sync.plan.sequences import Follower, plan_sequences
from db_sync.plan.snapshot import Snapshot
from db_sync.result import Status, SyncResult
from db_sync.run import Run, SyncOptions
from db_sync.write import sequences
from db_sync.write.row_security import no_forced_row_security
from db_sync.write.sequences import Position, Positions
from db_sync.write.tables import count_differences, write_differences
from db_sync.write.views import refresh_views

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
    execution, waiting = options.execution, options.waiting
    with (
        connect(
            source_address, "source", execution=execution, read_only=True, waiting=waiting
        ) as source,
        connect(target_address, "target", execution=execution, waiting=waiting) as target,
    ):
        return twice_at_most(
            lambda: _run(Run(source, target, options), save_report), target, source
        )


def _run(run: Run, save_report: SaveReport) -> SyncResult:
    """Begin both sides' transactions, and end them."""
    warnings = _begin(run)
    rules, dry_run = run.options.rules, run.options.dry_run
    with silenced(
        run.target, are_harmless=rules.event_triggers_ok, dry_run=dry_run
    ) as event_triggers:
        result, exhausted = _sync(run, warnings + event_triggers)
    for warning in result.warnings:
        logger.warning("sync needs a look", warning=warning)
    save_report(result)
    if dry_run:
        run.target.rollback()
    else:
        sequences.set_exhausted(run.target, exhausted)
        commit(run.target, run.options.waiting)
    return result


def _begin(run: Run) -> list[str]:
    """Check that the target may be written, begin its transaction and hold its lock.

    Returns:
        Warnings.

    Raises:
        TargetNotAllowed, SyncInProgress, OutOfTime: see the functions that it calls.
    """
    source, target, options = run.source, run.target, run.options
    run.limit("the databases were checked")
    target.begin()
    target.learn_names()
    require_privileged(target, WRITING)
    # Open while the target's lock is waited for: a session that is idle outside of a transaction
    # has the role's limits.
    with source.transaction():
        source.learn_names()
        require_source_apart(source, target)
        if not options.dry_run:
            require_marked(target)
        lock_target(target)
        require_alike(source, target)
    prepare(target)
    if not options.dry_run:
        return []
    warnings = target.lock_room.warnings()
    if not is_marked(target):
        warnings.append(
            "The target is not marked as a sync target: a sync that writes will refuse it."
        )
    return warnings


def _sync(run: Run, warnings: list[str]) -> tuple[SyncResult, Positions]:
    """Plan, compare, write and verify, up to the commit.

    Returns:
        The result, and the sequences that can only be set outside of the transaction.
    """
    started = time.monotonic()
    options = run.options
    snapshot, target_catalog = begin_reading(run)
    find_names(run.target, target_catalog.function_paths)
    plan = snapshot.plan
    leaders, unreadable = _read_leaders(run, snapshot, target_catalog)
    unlike = warn_of_added_rows(run, snapshot.catalog, target_catalog)
    with no_forced_row_security(run.target, plan.tables):
        compared = compare_tables(run, plan.tables)
        change = count_differences if options.dry_run else write_differences
        changed, found = change(run, compared, snapshot, target_catalog)
    if not options.dry_run:
        found += refresh_views(run, [each.plan.target.oid for each in compared.differences])
    moved = sequences.outdated(run.target, leaders)
    if not options.dry_run:
        sequences.restart(run.target, moved)
    result = SyncResult(
        status=_status(options, bool(compared.differences or moved)),
        verified=not options.dry_run,
        tables=tuple(sorted(compared.results + changed, key=lambda table: table.table)),
        left_alone={str(table): reason for table, reason in plan.left_alone.items()},
        sequences=tuple(str(sequence) for sequence in moved),
        warnings=tuple(warnings + plan.warnings + found + unreadable + unlike),
        duration_seconds=round(time.monotonic() - started, 3),
        snapshot=snapshot.taken_at,
        source_version=run.source.server_version,
        target_version=run.target.server_version,
    )
    return result, {name: at for name, at in moved.items() if at.is_exhausted}


def _read_leaders(
    run: Run, snapshot: Snapshot, target_catalog: Catalog
) -> tuple[dict[Follower, list[Position]], list[str]]:
    """Return the target's sequences with where those stand that they follow, and warnings.

    Read right after the snapshot: a sequence only advances, so it is as far as the snapshot's
    rows or further.
    """
    synced = {table.target.oid for table in snapshot.plan.tables}
    followers, warnings = plan_sequences(snapshot.catalog, target_catalog, synced)
    return sequences.read_leaders(run.source, followers), warnings


def _status(options: SyncOptions, changed: bool) -> Status:
    if options.dry_run:
        return "dry_run"
    return "synced" if changed else "unchanged"

"""One part made equal: compared, written and verified in one transaction of the target.

The rows of a section are not locked against the application, since parts of the same table are
written at the same time, and no mode of locks tells both apart. What somebody else writes to them
between the comparison and the commit makes the verification fail, and the part is tried again.
"""

from dataclasses import replace

from common.errors import ConfigurationError, SchemaMismatch, VerificationFailed
from common.postgres.commits import commit
from common.postgres.errors import is_duplicate
from common.postgres.locking import locks
from common.postgres.locking.deadlocks import twice_at_most
from common.postgres.settings.event_triggers import silenced
from common.reports.notices import Notice
from common.reports.sync import TableResult
from db_sync.compare.tables import compare_tables
from db_sync.follow.people import load_people, look_for_lacking
from db_sync.parts.board import Snapshots
from db_sync.parts.opening import begin_target, plan_as_divided
from db_sync.parts.part import Division, Part
from db_sync.parts.result import PieceResult
from db_sync.parts.shared_snapshot import begin_kept
from db_sync.plan.catalog import Catalogs
from db_sync.plan.fit import require_fit
from db_sync.plan.tables import Plan
from db_sync.run import Run
from db_sync.write.mask_trial import require_samples_fit, require_sound_masks
from db_sync.write.relinking import find_unlinking
from db_sync.write.row_security import force_again, stop_forcing
from db_sync.write.tables import write_differences
from db_sync.write.triggers import act_as_replica_for

SHARED = "ROW EXCLUSIVE"  # the mode in which several transactions can write to a table


def sync_part(run: Run, division: Division, part: Part, board: Snapshots) -> PieceResult:
    """Make a part of the target equal to the kept snapshot of the source, and commit.

    After a deadlock with the application, or with another part, it is begun once more.

    Args:
        run: the run; both sessions are outside of a transaction.
        division: that the part is of.
        part: the tables, or the rows of a table.
        board: where the snapshot is found.

    Raises:
        StagingSyncError: one of `common.errors`; the part is as it was.
    """
    try:
        return twice_at_most(lambda: _sync_part(run, division, part, board), run.target, run.source)
    except SchemaMismatch as error:
        if part.bounds is None or part.attempt >= division.most_attempts or not is_duplicate(error):
            raise
        # The application may have inserted that row meanwhile, or another part may still have it.
        raise VerificationFailed(error.message) from error


def _sync_part(run: Run, division: Division, part: Part, board: Snapshots) -> PieceResult:
    begin_target(run)
    tables = list(part.tables)
    kept = begin_kept(run.source, board, tables, has_policies=division.has_policies)
    run.limit("the target's tables were locked")
    mode = locks.EXCLUSIVE if part.bounds is None else SHARED
    locks.lock_tables(run.target, sorted(part.tables), mode)
    plan = _narrow(plan_as_divided(run, division), part)
    require_fit(run.source, plan)
    if not act_as_replica_for(run.target, plan.tables):
        raise ConfigurationError(
            "The target's role may not set session_replication_role any more, or a table got a"
            " deferrable unique constraint."
        )
    for session in (run.source, run.target):
        session.reads_section = part.bounds is not None
    results, notices = _make_equal(run, plan)
    commit(run.target)
    return PieceResult(
        part.number,
        part.attempt,
        kept.epoch,
        kept.taken_at,
        tables=tuple(results),
        notices=tuple(notices),
    )


def _narrow(plan: Plan, part: Part) -> Plan:
    """Return the plan of the part's tables alone, without foreign keys: others are checked later.

    They do not act either, since parts are written as a replica's.
    """
    source, target = plan.catalogs
    tables = [part.applied(table) for table in plan.tables if table.name in part.tables]
    read = {table.source.oid for table in tables}
    return replace(
        plan,
        catalogs=Catalogs(source, replace(target, foreign_keys=())),
        tables=tables,
        missing_labels=[each for each in plan.missing_labels if each.table.oid in read],
        unchecked_keys=target.foreign_keys,
    )


def _make_equal(run: Run, plan: Plan) -> tuple[list[TableResult], list[Notice]]:
    """Compare, write and verify; return a result per table, and notices."""
    harmless = run.options.rules.event_triggers_ok
    with silenced(run.target, are_harmless=harmless, dry_run=False):
        require_sound_masks(run, plan)
        stop_forcing(run.target, plan.tables)
        run.people.clear()
        load_people(run, plan.people, plan.tables)
        compared = look_for_lacking(run, plan.people, compare_tables(run, plan.tables))
        require_samples_fit(run, compared.plans)
        if unlinking := find_unlinking(run, compared):
            raise ConfigurationError("People would lose their links.", unlinking)
        changed, notices = write_differences(run, compared, plan)
        force_again(run.target, plan.tables)
    same = [table.result(dict(run.seconds[table.plan.name])) for table in compared.same]
    return same + changed, notices

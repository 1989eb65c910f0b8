"""The tables that differ, changed and verified; or, in a dry run, their changes counted."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from common.log import logger
from common.postgres.foreign_keys import ForeignKey
from common.postgres.locking import locks
from common.postgres.settings.function_names import names_for_writing
from common.reports.notices import Notice, Topic
from common.reports.sync import TableResult
from db_sync.compare.generated import checked_columns
from db_sync.compare.outcomes import Compared, Replace
from db_sync.follow.people import require_foreseen
from db_sync.plan.tables import Plan
from db_sync.run import Run
from db_sync.write import tally, triggers
from db_sync.write.checks import Checks
from db_sync.write.foreign_keys import ForeignKeys
from db_sync.write.merge import count_merge, fetch, merge_tables
from db_sync.write.orphans import Writing
from db_sync.write.replace import count_replacement, replace_tables
from db_sync.write.staging import Staging
from db_sync.write.triggers import Trigger


def count_differences(
    run: Run, compared: Compared, plan: Plan
) -> tuple[list[TableResult], list[Notice]]:
    """Return what a sync would write; from here on the target is read-only.

    The source's transaction ends as soon as its last row is read.

    Returns:
        A result per table that differs, and notices.

    Raises:
        SchemaMismatch: rows would violate a foreign key of the target.
    """
    Checks(run, compared.plans)
    stagings = [Staging(run.target, merge) for merge in compared.merges]
    writing = _writing(stagings, compared.replacements)
    keys = ForeignKeys(run, compared, plan)
    stages = keys.create_stages(writing.replacements)
    tally.create_tables(run, compared.replacements)
    run.target.execute("SET TRANSACTION READ ONLY")
    counts: list[Callable[[], TableResult]] = [
        *(partial(count_merge, run, staging) for staging in stagings),
        *(partial(count_replacement, run, replace) for replace in compared.replacements),
    ]
    results = [count() for count in run.each("count", counts)]
    staged, violations = keys.fill_stages(stages), keys.count_in_source(writing.replacements)
    run.source.commit()
    foreseen = Writing(writing.merges, writing.replacements, staged, is_dry=True)
    notices = keys.foresee(foreseen, violations)
    return results, notices + _notices(compared, results)


def write_differences(
    run: Run, compared: Compared, plan: Plan
) -> tuple[list[TableResult], list[Notice]]:
    """Make the tables that differ equal to the source's, and verify each.

    The source's transaction ends as soon as its last row is read.

    Args:
        run: the run.
        compared: which tables differ.
        plan: the plan of the sync of all tables.

    Returns:
        A result per table that differs, and notices.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row violates a constraint of the target.
        TargetBusy: a lock was not granted in time.
    """
    if not compared.plans:
        run.source.commit()
        return [], []
    checks = Checks(run, compared.plans)
    fetched = [fetch(run, merge) for merge in run.each("fetch", compared.merges)]
    keys = ForeignKeys(run, compared, plan)
    stagings = [each.staging for each in fetched]
    notices = keys.foresee(_writing(stagings, compared.replacements))
    firing = triggers.find_triggers(run.target, compared.plans)
    _lock_exclusively(run, compared.replacements, keys.dropped, firing, checks)
    with (
        triggers.disabled(run.target, firing),
        keys.dropped_meanwhile(),
        checks.dropped_meanwhile(),
    ):
        results = replace_tables(run, compared.replacements, [*keys.in_place, *plan.unchecked_keys])
        run.source.commit()  # production need not hold back vacuum any longer
        results += merge_tables(run, fetched, keys.in_force)
        with names_for_writing(run.target):
            # Deferred constraints are checked now: before the report, and before ALTER TABLE, which
            # PostgreSQL rejects while checks are pending.
            run.target.execute("SET CONSTRAINTS ALL IMMEDIATE")
    require_foreseen(run, plan, {table.target.oid for table in compared.plans})
    notices += keys.check() + _notices(compared, results)
    for result in results:
        logger.info("table written", result=asdict(result))
    return results, notices


def _writing(stagings: list[Staging], replacements: list[Replace]) -> Writing:
    """Return what is to be written, by the tables' oids."""
    return Writing(
        {staging.merge.plan.target.oid: staging for staging in stagings},
        {replace.plan.target.oid: replace for replace in replacements},
    )


def _lock_exclusively(
    run: Run,
    replacements: list[Replace],
    dropped: list[ForeignKey],
    firing: list[Trigger],
    checks: Checks,
) -> None:
    """Take the ACCESS EXCLUSIVE locks in attempts; TRUNCATE and ALTER TABLE would wait for them."""
    tables = {key.child for key in dropped} | {key.parent for key in dropped}
    tables |= {each.plan.name for each in replacements if each.plan.target.section is None}
    tables |= {trigger.on for trigger in firing if trigger.locks_out_readers}
    tables |= checks.tables
    locks.lock_tables(run.target, sorted(tables), locks.ACCESS_EXCLUSIVE)


def _notices(compared: Compared, results: list[TableResult]) -> list[Notice]:
    """Return what a person should know of the rows that were written, or would be."""
    unlinked = [
        Notice(
            f"{result.rows_unlinked} rows of {result.table} lost their value of a kept column:"
            " another row brings it, or the row is another person's in production.",
            Topic.LOGINS,
        )
        for result in results
        if result.rows_unlinked
    ]
    stale = [
        Notice(
            f"{each.stale_rows} rows of {each.plan.name} held other values in generated columns"
            f" ({', '.join(column.name for column, _ in checked_columns(each.plan))}) than the"
            " target's own expressions give, and are computed anew. If that comes back, a function"
            " in them is not as immutable as it says."
        )
        for each in compared.differences
        if each.stale_rows
    ]
    return unlinked + stale

"""The tables that differ, changed and verified; or, in a dry run, their changes counted."""

from dataclasses import asdict

from common.log import logger
from common.postgres.copying import Transferred
from common.postgres.foreign_keys import ForeignKey
from common.postgres.locking import locks
from common.postgres.names import Name
from common.postgres.settings.function_names import names_for_writing
from db_sync.compare.generated import checked_columns
from db_sync.compare.tables import Compared, Difference, count_rows
from db_sync.compare.verify import require_all_found, verify_merged
from db_sync.plan.catalog import Catalog
from db_sync.plan.snapshot import Snapshot
from db_sync.result import Changes, TableResult
from db_sync.run import Run, converting
from db_sync.write import merge, tally, triggers
from db_sync.write.checks import Checks
from db_sync.write.keys import Keys
from db_sync.write.order import parents_first, referenced
from db_sync.write.orphans import Writing
from db_sync.write.replace import copy_tables
from db_sync.write.triggers import Guard


def count_differences(
    run: Run, compared: Compared, snapshot: Snapshot, target: Catalog
) -> tuple[list[TableResult], list[str]]:
    """Return what a sync would write, and warnings; from here on the target is read-only.

    The source's transaction is ended as soon as its last row is read.

    Returns:
        A result per table that differs, and warnings.

    Raises:
        SchemaMismatch: rows would break a foreign key of the target.
    """
    merged, whole = _by_oid(compared.differences)
    Checks(run, [difference.plan for difference in compared.differences])
    for difference in merged.values():
        merge.create_tables(run.target, difference)
    keys = Keys(run, compared, snapshot, target)
    stages = keys.create_stages(whole)
    tally.create_tables(run.target, whole.values())
    run.target.execute("SET TRANSACTION READ ONLY")
    results: list[TableResult] = []
    for difference in run.each("count", compared.differences):
        plan = difference.plan
        run.limit(f"the changes of {plan.name} were counted")
        with run.timed("count", plan.name), converting(plan):
            if difference.is_copied_whole:
                moved = Transferred(_rows_of_source(run, difference), 0)
                changes = tally.count_replaceable(run, difference, moved.rows)
            else:
                moved = _stage(run, difference)
                changes = merge.count_changes(run.target, difference)
        results.append(_result(run, difference, moved, changes))
    staged, breaches = keys.fill_stages(stages), keys.count_in_source(whole)
    run.source.commit()
    warnings = keys.foresee(Writing(merged, whole, staged, is_dry=True), breaches)
    return results, warnings + _unlinked(results) + _stale(compared.differences)


def _rows_of_source(run: Run, difference: Difference) -> int:
    """Return how many rows the source has of a table that is copied whole."""
    if difference.source is None:
        return count_rows(run.source, difference.plan.source)
    return difference.source.rows


def write_differences(
    run: Run, compared: Compared, snapshot: Snapshot, target: Catalog
) -> tuple[list[TableResult], list[str]]:
    """Make the tables that differ equal to the source's, and verify each.

    The source's transaction is ended as soon as its last row is read.

    Args:
        run: the run.
        compared: which tables differ.
        snapshot: the plan of the whole sync, and the source's catalog.
        target: the target's catalog.

    Returns:
        A result per table that differs, and warnings.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row breaks a constraint of the target.
        TargetBusy: a lock was not granted in time.
    """
    if not compared.differences:
        run.source.commit()
        return [], []
    merged, whole = _by_oid(compared.differences)
    plans = [difference.plan for difference in compared.differences]
    checks = Checks(run, plans)
    fetched = {
        difference.plan.name: _fetch(run, difference)
        for difference in run.each("fetch", list(merged.values()))
    }
    keys = Keys(run, compared, snapshot, target)
    warnings = keys.foresee(Writing(merged, whole))
    found = triggers.find_guards(run.target, plans)
    _lock_exclusively(run, list(whole.values()), keys.dropped, found, checks)
    with (
        triggers.switched_off(run.target, found),
        keys.out_of_the_way(),
        checks.out_of_the_way(),
    ):
        copied = copy_tables(run, list(whole.values()), keys.in_place)
        run.source.commit()  # production need not hold back vacuum any longer
        results = [_result(run, *each) for each in copied]
        in_order = parents_first(list(merged.values()), keys.in_force)
        results += _merge(run, in_order, fetched, referenced(keys.in_force))
        with names_for_writing(run.target):
            # What is deferred is checked now: before the report, and before ALTER TABLE, which
            # refuses a table with checks to come.
            run.target.execute("SET CONSTRAINTS ALL IMMEDIATE")
    warnings += keys.check() + _unlinked(results) + _stale(compared.differences)
    for result in results:
        logger.info("table written", result=asdict(result))
    return results, warnings


def _by_oid(
    differences: list[Difference],
) -> tuple[dict[int, Difference], dict[int, Difference]]:
    """Return the tables of which some rows are written, and those that are copied whole."""
    merged, whole = (
        {each.plan.target.oid: each for each in differences if each.is_copied_whole is is_whole}
        for is_whole in (False, True)
    )
    return merged, whole


def _unlinked(results: list[TableResult]) -> list[str]:
    return [
        f"{result.rows_unlinked} rows of {result.table} lost their value of a kept column: another"
        " row brings it, or the row is another person's in production."
        for result in results
        if result.rows_unlinked
    ]


def _stale(differences: list[Difference]) -> list[str]:
    return [
        f"{each.stale_rows} rows of {each.plan.name} held other values in generated columns"
        f" ({', '.join(column.name for column, _ in checked_columns(each.plan))}) than the target's"
        " own expressions give, and are computed anew. If that comes back, a function in them is"
        " not as immutable as it says."
        for each in differences
        if each.stale_rows
    ]


def _fetch(run: Run, difference: Difference) -> Transferred:
    """Stage the source's rows of the ranges that differ, and find those that do."""
    name = difference.plan.name
    run.limit(f"the rows of {name} that differ were fetched")
    with run.timed("fetch", name), converting(difference.plan):
        merge.create_tables(run.target, difference)
        return _stage(run, difference)


def _stage(run: Run, difference: Difference) -> Transferred:
    """Fetch the source's rows of the ranges that differ, and find what is to be written."""
    moved = merge.fill_stage(run, difference)
    require_all_found(run, difference, moved.rows)
    merge.find_changes(run.target, difference)
    merge.find_gone_rows(run.target, difference)
    return moved


def _lock_exclusively(
    run: Run,
    whole: list[Difference],
    dropped: list[ForeignKey],
    found: list[Guard],
    checks: Checks,
) -> None:
    """Take the strong locks now, in attempts, that TRUNCATE and ALTER TABLE would wait for."""
    tables = {key.child for key in dropped} | {key.parent for key in dropped}
    tables |= {difference.plan.name for difference in whole}
    tables |= {guard.on for guard in found if guard.locks_out_readers}
    tables |= checks.tables
    locks.lock_tables(run.target, sorted(tables), locks.ACCESS_EXCLUSIVE)


def _merge(
    run: Run, differences: list[Difference], fetched: dict[Name, Transferred], referenced: set[int]
) -> list[TableResult]:
    """Write the rows that differ, and verify the ranges that they are in.

    Args:
        run: the run.
        differences: the tables, parents first.
        fetched: what travelled for each.
        referenced: oids of those that foreign keys in place point to.
    """
    results: list[TableResult] = []
    for difference in run.each("delete", differences[::-1]):
        plan = difference.plan
        run.limit(f"rows of {plan.name} were deleted")
        with (
            run.timed("merge", plan.name),
            names_for_writing(run.target, plan.target.function_path),
        ):
            in_place = plan.target.oid in referenced
            merge.delete_rows(run.target, difference, in_place=in_place)
    for difference in run.each("write", differences):
        plan = difference.plan
        run.limit(f"rows of {plan.name} were written")
        with (
            run.timed("merge", plan.name),
            converting(plan),
            names_for_writing(run.target, plan.target.function_path),
        ):
            changes = merge.write_rows(
                run.target, difference, in_place=plan.target.oid in referenced
            )
        run.limit(f"{plan.name} was verified")
        with run.timed("verify", plan.name):
            verify_merged(run, difference)
        results.append(_result(run, difference, fetched[plan.name], changes))
    return results


def _result(run: Run, difference: Difference, moved: Transferred, changes: Changes) -> TableResult:
    """Return the result of a table, of which some rows travelled and some changed."""
    plan, source = difference.plan, difference.source
    return TableResult(
        table=str(plan.name),
        action="copy" if difference.is_copied_whole else "merge",
        reason=difference.reason,
        rows=source.rows if source else moved.rows,
        rows_inserted=changes.inserted,
        rows_updated=changes.updated,
        rows_deleted=changes.deleted,
        rows_unlinked=changes.unlinked,
        ranges=difference.range_count,
        ranges_changed=difference.dirty_count,
        bytes=moved.bytes,
        seconds=dict(run.seconds[plan.name]),
    )

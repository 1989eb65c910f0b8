"""The tables that differ, changed and verified; or, in a dry run, their changes counted."""

from dataclasses import asdict

from common import locks
from common.foreign_keys import ForeignKey
from common.log import logger
from common.names import Name
from db_sync import foreign_keys, guards, merge
from db_sync.blame import converting
from db_sync.catalog import Catalog
from db_sync.compare import Difference, count_rows
from db_sync.guards import Guard
from db_sync.merge import Changes
from db_sync.order import keys_in_the_way, parents_first, referenced
from db_sync.result import TableResult
from db_sync.run import Run
from db_sync.snapshot import Snapshot
from db_sync.transfer import Transferred
from db_sync.verify import verify_ranges
from db_sync.whole import copy_tables


def count_differences(
    run: Run, differences: list[Difference]
) -> tuple[list[TableResult], list[str]]:
    """Return what a sync would write, and warnings; from here on the target is read-only.

    The source's transaction is ended as soon as its last row is read.
    """
    for difference in differences:
        if not difference.is_copied_whole:
            merge.create_tables(run.target, difference)
    run.target.execute("SET TRANSACTION READ ONLY")
    results: list[TableResult] = []
    for difference in run.each("count", differences):
        plan = difference.plan
        run.limit(f"the changes of {plan.name} were counted")
        moved, changes = Transferred(0, 0), None
        with run.timed("count", plan.name):
            if not difference.is_copied_whole:
                moved = _stage(run, difference)
                changes = merge.count_changes(run.target, difference)
            elif difference.source is None:
                moved = Transferred(count_rows(run.source, plan.source), 0)
            else:
                moved = Transferred(difference.source.rows, 0)
        results.append(_result(run, difference, moved, changes))
    run.source.commit()
    return results, _unlinked(results)


def write_differences(
    run: Run, differences: list[Difference], snapshot: Snapshot, target: Catalog
) -> tuple[list[TableResult], list[str]]:
    """Make the tables that differ equal to the source's, and verify each.

    The source's transaction is ended as soon as its last row is read.

    Args:
        run: the run.
        differences: the tables.
        snapshot: the plan of the whole sync, and the source's catalog.
        target: the target's catalog.

    Returns:
        A result per table, and warnings.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row breaks a constraint of the target.
        TargetBusy: a lock was not granted in time.
    """
    if not differences:
        run.source.commit()
        return [], []
    merged = [difference for difference in differences if not difference.is_copied_whole]
    whole = [difference for difference in differences if difference.is_copied_whole]
    fetched = {
        difference.plan.name: _fetch(run, difference) for difference in run.each("fetch", merged)
    }
    plans = [difference.plan for difference in differences]
    keys = foreign_keys.foreign_keys_on(target, plans)
    vouched = foreign_keys.vouched_for(keys, snapshot.catalog, snapshot.plan.tables)
    asleep = guards.sleep_as_replica(run.target, plans)
    dropped = [] if asleep else keys_in_the_way(run.target, keys, vouched, merged, whole)
    in_force = [] if asleep else [key for key in keys if key not in dropped]
    found = guards.find_guards(run.target, plans)
    _lock_exclusively(run, whole, dropped, found)
    with (
        guards.switched_off(run.target, found),
        foreign_keys.dropped(run.target, dropped),
    ):
        copied = copy_tables(run, whole, [key for key in keys if key not in dropped])
        run.source.commit()  # production need not hold back vacuum any longer
        results = [_result(run, *pair) for pair in zip(whole, copied, strict=True)]
        results += _merge(run, parents_first(merged, in_force), fetched, referenced(in_force))
        run.limit("the foreign keys were checked")
        with run.target.default_search_path():
            # What is deferred is checked now: before the report, and before ALTER TABLE, which
            # refuses a table with checks to come.
            run.target.execute("SET CONSTRAINTS ALL IMMEDIATE")
    warnings = _unlinked(results)
    if asleep:  # else they held all the while, or were created again, which checks them
        warnings += foreign_keys.check(run.target, keys, snapshot.catalog, snapshot.plan.tables)
    for result in results:
        logger.info("table written", result=asdict(result))
    return results, warnings


def _unlinked(results: list[TableResult]) -> list[str]:
    return [
        f"{result.rows_unlinked} rows of {result.table} lost their value of a kept column: another"
        " row brings it, or the row is another person's in production."
        for result in results
        if result.rows_unlinked
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
    merge.find_changes(run.target, difference)
    merge.find_gone_rows(run.target, difference)
    return moved


def _lock_exclusively(
    run: Run, whole: list[Difference], dropped: list[ForeignKey], found: list[Guard]
) -> None:
    """Take the strong locks now, in attempts, that TRUNCATE and ALTER TABLE would wait for."""
    tables = {key.child for key in dropped} | {key.parent for key in dropped}
    tables |= {difference.plan.name for difference in whole}
    tables |= {guard.on for guard in found if guard.locks_out_readers}
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
        with run.timed("merge", plan.name), run.target.default_search_path():
            in_place = plan.target.oid in referenced
            merge.delete_rows(run.target, difference, in_place=in_place)
    for difference in run.each("write", differences):
        plan = difference.plan
        run.limit(f"rows of {plan.name} were written")
        with (
            run.timed("merge", plan.name),
            converting(plan),
            run.target.default_search_path(),
        ):
            changes = merge.write_rows(
                run.target, difference, in_place=plan.target.oid in referenced
            )
        run.limit(f"{plan.name} was verified")
        with run.timed("verify", plan.name):
            verify_ranges(run, difference)
        results.append(_result(run, difference, fetched[plan.name], changes))
    return results


def _result(
    run: Run, difference: Difference, moved: Transferred, changes: Changes | None = None
) -> TableResult:
    """Return the result of a table; without changes, its rows were replaced by those that moved."""
    plan, source = difference.plan, difference.source
    changes = changes or Changes(inserted=moved.rows, deleted=difference.target_rows)
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

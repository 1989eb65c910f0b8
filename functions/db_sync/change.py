"""The tables that differ, changed and verified; or, in a dry run, their changes counted."""

import contextlib
import functools
import time
from dataclasses import asdict

from psycopg2 import sql

from common import locks
from common.errors import VerificationFailed
from common.log import logger
from db_sync import guards, merge
from db_sync.catalog import Catalog, ForeignKey
from db_sync.compare import Difference
from db_sync.fingerprint import EVERYWHERE, NOTHING, Fingerprint, merged, of_target
from db_sync.fit import naming
from db_sync.load import copy_rows, empty_table
from db_sync.merge import Changes
from db_sync.result import TableResult
from db_sync.row_security import no_forced_row_security
from db_sync.run import Run
from db_sync.snapshot import Snapshot
from db_sync.transfer import Transferred
from db_sync.views import refresh_views

RANGES_NAMED = 10  # in an error's message


def count_differences(run: Run, differences: list[Difference]) -> list[TableResult]:
    """Return what a sync would write; from here on the target's session is read-only."""
    merge.create_ranges(run.target)
    for difference in differences:
        if not difference.is_copied_whole:
            merge.create_stage(run.target, difference.plan)
    run.target.execute("SET TRANSACTION READ ONLY")
    results: list[TableResult] = []
    for difference in run.each("count", differences):
        run.limit(f"the changes of {difference.plan.name} were counted")
        started = time.monotonic()
        changes, moved = _replacement(difference), Transferred(0, 0)
        if not difference.is_copied_whole:
            moved = merge.fill_stage(run.source, run.target, difference)
            changes = merge.count_changes(run.target, difference)
        results.append(_result(difference, changes, moved, started))
    return results


def write_differences(
    run: Run, differences: list[Difference], snapshot: Snapshot, target: Catalog
) -> tuple[list[TableResult], list[str]]:
    """Make the tables that differ equal to the source's, and verify each.

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
        return [], []
    plans = [difference.plan for difference in differences]
    keys = guards.foreign_keys_on(target, plans)
    asleep = guards.sleep_as_replica(run.target, plans)
    _lock_exclusively(run, differences, [] if asleep else keys)
    merge.create_ranges(run.target)
    with (
        no_forced_row_security(run.target, plans),
        guards.triggers_and_rules_off(run.target, plans),
        contextlib.nullcontext() if asleep else guards.foreign_keys_dropped(run.target, keys),
    ):
        results = [_write(run, difference, keys) for difference in run.each("write", differences)]
        run.limit("the foreign keys were checked")
        with run.target.default_search_path():
            # What is deferred is checked now: before the report, and before ALTER TABLE, which
            # refuses a table with checks to come.
            run.target.execute("SET CONSTRAINTS ALL IMMEDIATE")
    warnings = _unlinked(results)
    if asleep:  # else they were created again, which checks them
        warnings += guards.check_foreign_keys(
            run.target, keys, snapshot.catalog, snapshot.plan.tables
        )
    run.limit("the materialized views were refreshed")
    warnings += refresh_views(run.target, [plan.target.oid for plan in plans])
    return results, warnings


def _unlinked(results: list[TableResult]) -> list[str]:
    return [
        f"{result.rows_unlinked} rows of {result.table} lost their value of a kept column: a new"
        " row brings it."
        for result in results
        if result.rows_unlinked
    ]


def _lock_exclusively(run: Run, differences: list[Difference], keys: list[ForeignKey]) -> None:
    """Take the strong locks now, in attempts, that TRUNCATE and DROP CONSTRAINT would wait for."""
    tables = {key.child for key in keys} | {key.parent for key in keys}
    tables |= {
        difference.plan.name
        for difference in differences
        if difference.is_copied_whole and difference.target_rows
    }
    locks.lock_tables(run.target, sorted(tables), locks.ACCESS_EXCLUSIVE)


def _write(run: Run, difference: Difference, keys: list[ForeignKey]) -> TableResult:
    """Change one table and verify it."""
    plan = difference.plan
    run.limit(f"{plan.name} was written")
    started = time.monotonic()
    with naming(plan), run.target.default_search_path():
        moved, changes = _replace(run, difference, keys)
    _verify(run, difference)
    result = _result(difference, changes, moved, started)
    logger.info("table written", result=asdict(result))
    return result


def _replace(
    run: Run, difference: Difference, keys: list[ForeignKey]
) -> tuple[Transferred, Changes]:
    """Copy the table whole, or merge it; return what travelled and what was written."""
    plan = difference.plan
    if not difference.is_copied_whole:
        merge.create_stage(run.target, plan)
        moved = merge.fill_stage(run.source, run.target, difference)
        return moved, merge.apply_changes(run.target, difference)
    if difference.target_rows:
        is_referenced = any(key.parent_root == plan.target.oid for key in keys)
        empty_table(run.target, plan, is_referenced=is_referenced)
    moved = copy_rows(run.source, run.target, difference, plan.name.identifier)
    run.target.execute(sql.SQL("ANALYZE {}").format(plan.name.identifier))
    return moved, _replacement(difference)


def _verify(run: Run, difference: Difference) -> None:
    """Compute the fingerprints of what was written again, and compare them with the source's."""
    run.limit(f"{difference.plan.name} was verified")
    if difference.dirty is None or difference.is_copied_whole:
        with of_target(run.target, difference.ranges, EVERYWHERE) as found:
            total = functools.reduce(Fingerprint.plus, found, NOTHING)
        wrong = [] if total == difference.source else ["its rows"]
    else:
        only = sql.SQL("JOIN {} r ON {}").format(merge.RANGES, merge.in_a_range(difference))
        with of_target(run.target, difference.ranges, only) as found:
            pairs = merged(difference.dirty, found)
            wrong = [f"range {ours.number}" for ours, theirs in pairs if ours != theirs]
    if wrong:
        raise VerificationFailed(
            f"After the copy, {difference.plan.name} is not what the source's snapshot holds:"
            f" {', '.join(wrong[:RANGES_NAMED])} differ. Everything was rolled back. Look for a"
            " trigger, rule, domain or collation that changes values in the target."
        )


def _replacement(difference: Difference) -> Changes:
    """Return the changes of a table that is copied whole."""
    return Changes(inserted=difference.source.rows, deleted=difference.target_rows)


def _result(
    difference: Difference, changes: Changes, moved: Transferred, started: float
) -> TableResult:
    return TableResult(
        table=str(difference.plan.name),
        action="copy" if difference.is_copied_whole else "merge",
        reason=difference.reason,
        rows=difference.source.rows,
        rows_inserted=changes.inserted,
        rows_updated=changes.updated,
        rows_deleted=changes.deleted,
        rows_unlinked=changes.unlinked,
        ranges=difference.range_count,
        ranges_changed=difference.dirty_count,
        bytes=moved.bytes,
        seconds=round(time.monotonic() - started, 3),
    )

"""Tables whose rows are all replaced: emptied, filled, and their indexes built after that."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.postgres.copying import Transferred
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.settings.function_names import names_for_definitions, names_for_writing
from common.postgres.settings.replication_role import define
from common.reports.sync import TableResult
from db_sync.compare import fingerprint
from db_sync.compare.generated import checked_columns
from db_sync.compare.outcomes import Replace
from db_sync.compare.ranges import Ranges
from db_sync.compare.row_counts import count_rows
from db_sync.compare.small_tables import compare_small, is_small
from db_sync.compare.verify import failure
from db_sync.follow.staged import give_own_subs, replaces_subs
from db_sync.plan.catalog import Table
from db_sync.plan.rows import whole_table
from db_sync.plan.tables import TablePlan
from db_sync.planner import tables_themselves
from db_sync.run import Run
from db_sync.statements import names
from db_sync.write import staging, tally
from db_sync.write.copy_rows import copy_rows
from db_sync.write.indexes import Index, create_indexes, drop_indexes


def count_replacement(run: Run, replace: Replace) -> TableResult:
    """Return what replacing a table's rows would change; its tally table exists."""
    plan, found = replace.plan, replace.comparison
    with run.step("count", plan):
        rows = found.source.rows if found else count_rows(run.source, plan.source)
        changes = tally.count_replaceable(run, replace, rows)
    return replace.result(Transferred(rows, 0), changes, dict(run.seconds[plan.name]))


def replace_tables(
    run: Run, replacements: Sequence[Replace], keys: Sequence[ForeignKey]
) -> list[TableResult]:
    """Replace the rows of tables by the source's, and verify each.

    Args:
        run: the run.
        replacements: the tables.
        keys: the foreign keys that are in place.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row does not fit.
    """
    if not replacements:
        return []
    tally.note_target_rows(run, replacements)
    truncated = _empty(run, replacements, keys)
    small = [each for each in replacements if _is_small(run, each)]
    large = [each for each in replacements if not _is_small(run, each)]
    with tables_themselves(run.source):
        return _copy_small(run, small, truncated) + [
            _copy(run, replace, is_truncated=replace in truncated)
            for replace in run.each("copy", large)
        ]


def _empty(run: Run, replacements: Sequence[Replace], keys: Sequence[ForeignKey]) -> list[Replace]:
    """Remove all rows, in one TRUNCATE and never with CASCADE; return the truncated tables.

    TRUNCATE gives a table and each of its indexes a new file, which takes longer than to fill a
    small one. So a small table that is empty stays as it is; a large one's rows can be frozen.
    PostgreSQL rejects TRUNCATE of a table that another table's foreign key references, so that its
    rows are deleted; so are those of a table whose subscribers would not receive the TRUNCATE.
    """
    published = [each for each in replacements if _may_truncate(each.plan.target)]
    worthwhile = [each for each in published if each.target_rows or _is_large(run, each)]
    truncated = _without_referenced(_with_referring(worthwhile, published, keys), keys)
    with names_for_writing(run.target):
        if truncated:
            tables = [whole_table(replace.plan.target) for replace in truncated]
            run.target.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(tables)))
        for replace in replacements:
            if replace not in truncated and replace.target_rows:
                run.target.execute(_delete_all(replace.plan.target))
    return truncated


def _may_truncate(table: Table) -> bool:
    """Return whether all rows of a table may be removed without deleting each."""
    return table.section is None and not table.publications.hides_truncate


def _delete_all(table: Table) -> sql.Composable:
    """Return the statement that deletes a table's rows, or those of its section."""
    condition = table.section.condition if table.section else sql.SQL("true")
    return sql.SQL("DELETE FROM {} t WHERE {}").format(whole_table(table), condition)


def _with_referring(
    wanted: list[Replace], replacements: list[Replace], keys: Sequence[ForeignKey]
) -> list[Replace]:
    """Return tables with those that refer to them, over any number of keys."""
    while True:
        oids = {replace.plan.target.oid for replace in wanted}
        children = {key.child_root for key in keys if key.parent_root in oids}
        more = [each for each in replacements if each.plan.target.oid in children | oids]
        if len(more) == len(wanted):
            return more
        wanted = more


def _without_referenced(replacements: list[Replace], keys: Sequence[ForeignKey]) -> list[Replace]:
    """Return the tables that only these tables' own foreign keys reference."""
    while True:
        oids = {replace.plan.target.oid for replace in replacements}
        referenced = {key.parent_root for key in keys if key.child_root not in oids}
        left = [each for each in replacements if each.plan.target.oid not in referenced]
        if len(left) == len(replacements):
            return left
        replacements = left


def _is_small(run: Run, replace: Replace) -> bool:
    """Return whether a table is verified together with others.

    Not one with generated columns that a comparison checks: the verification does not.
    """
    plan = replace.plan
    return is_small(Ranges(plan)) and not _is_large(run, replace) and not checked_columns(plan)


def _copy_small(
    run: Run, replacements: Sequence[Replace], truncated: Sequence[Replace]
) -> list[TableResult]:
    """Fill small empty tables one after another, and then verify many at a time.

    The settings for each of these steps are made once: making them takes as long as the step.
    """
    if not replacements:
        return []
    with names_for_writing(run.target):
        sent = [
            _fill(run, replace, is_truncated=replace in truncated)
            for replace in run.each("copy", replacements)
        ]
    for replace in run.each("index", replacements):
        with run.step("index", replace.plan):
            analyze(run.target, replace.plan)
    with tables_themselves(run.target):
        _verify_small(run, [replace.plan for replace in replacements])
    return [_counted(run, *each) for each in zip(replacements, sent, strict=True)]


def _verify_small(run: Run, plans: Sequence[TablePlan]) -> None:
    """Read what was written to small tables again, and compare with the source.

    Raises:
        VerificationFailed: they differ.
    """
    everything = [Ranges(plan) for plan in plans]
    found = compare_small(run, everything, "verify")
    for ranges, comparison in zip(everything, found, strict=True):
        if (comparison or _compare_alone(run, ranges)).dirty_count:
            raise failure(run, ranges.plan, ["its rows"])


def _compare_alone(run: Run, ranges: Ranges) -> fingerprint.Comparison:
    """Compare a table where the statement for several failed; its error names the table."""
    with run.step("verify", ranges.plan):
        return fingerprint.compare_sides(run, ranges)


def _fill(run: Run, replace: Replace, *, is_truncated: bool) -> Transferred:
    """Copy all rows of the source into an empty table, with names found as for writing."""
    plan = replace.plan
    with run.step("copy", plan):
        if replaces_subs(run, plan):
            return _fill_by_stage(run, plan)
        return copy_rows(
            run,
            Ranges(plan),
            None,
            plan.name.identifier,
            # PostgreSQL rejects FREEZE for a partitioned table.
            is_frozen=is_truncated and not plan.target.is_partitioned,
        )


def _fill_by_stage(run: Run, plan: TablePlan) -> Transferred:
    """Copy all rows of the source into a stage first, where they get the subs that staging has."""
    stage = staging.stage_of(plan)
    staging.create_stage(run.target, plan)
    sent = copy_rows(run, Ranges(plan), None, stage)
    give_own_subs(run, plan, stage)
    columns = names(column.name for column in plan.sent)
    run.target.execute(
        sql.SQL(
            "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}"
        ).format(plan.name.identifier, stage, columns=columns)
    )
    define(run.target, sql.SQL("DROP TABLE {}").format(stage))
    return sent


def _counted(run: Run, replace: Replace, sent: Transferred) -> TableResult:
    """Count what changed in a table that was filled; return its result."""
    plan = replace.plan
    with run.timed("count", plan):
        changes = tally.count_replaced(run, replace, sent.rows)
    return replace.result(sent, changes, dict(run.seconds[plan.name]))


def _copy(run: Run, replace: Replace, *, is_truncated: bool) -> TableResult:
    """Fill an empty table, build its indexes, verify it and count what changed."""
    plan = replace.plan
    path = plan.target.function_path
    with run.step("copy", plan):
        # With our own search path: in another one a temporary table may hide a catalog's table.
        indexes = drop_indexes(run.target, plan) if _is_large(run, replace) else []
    with names_for_writing(run.target, path):
        sent = _fill(run, replace, is_truncated=is_truncated)
    run.limit(f"the indexes of {plan.name} were built, and it was verified")
    everything = Ranges(plan)
    # The source is busy computing its fingerprint meanwhile, and cannot be given a new limit.
    with fingerprint.of_source(run.source, everything) as ours:
        with run.timed("index", plan), _names_for_indexes(run.target, path, indexes):
            create_indexes(run.target, plan, indexes)
            analyze(run.target, plan)
        with (
            run.timed("verify", plan),
            tables_themselves(run.target),
            fingerprint.of_target(run.target, everything) as theirs,
        ):
            if fingerprint.compare(ours, theirs, most=0).dirty_count:
                raise failure(run, plan, ["its rows"])
    return _counted(run, replace, sent)


def _is_large(run: Run, replace: Replace) -> bool:
    """Return whether a table's indexes are built anew, which takes less time than keeping them.

    Not those of a section, since others of the table are written at the same time.
    """
    is_whole = replace.plan.target.section is None
    return is_whole and replace.about_rows > run.tuning.min_rows_for_index_rebuild


def _names_for_indexes(
    target: Session, path: str, indexes: Sequence[Index]
) -> AbstractContextManager[None]:
    """Search for names in definitions, for a with statement, if there are any."""
    return names_for_definitions(target, path) if path or indexes else nullcontext()


def analyze(target: Session, plan: TablePlan) -> None:
    """Update the planner's statistics; not after one section, but when all of them are written.

    From PostgreSQL 17 on, ANALYZE resolves names in pg_catalog only. If an index expression needs
    others, nobody's ANALYZE can compute it, and only the columns' statistics are updated.
    """
    if plan.target.section:
        return
    statement = sql.SQL("ANALYZE {}").format(plan.name.identifier)
    if not plan.target.function_path:
        target.execute(statement)
        return
    try:
        with target.savepoint():
            target.execute(statement)
    except SchemaMismatch:
        columns = names(plan.target.columns)
        target.execute(sql.SQL("{} ({})").format(statement, columns))

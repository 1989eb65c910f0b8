"""Counts in how many rows a table that is replaced differs, by the rows' hashes.

All its rows are written again, though some may be as before. In a large table all rows count as
different, since most of them are.
"""

from collections.abc import Iterable, Iterator

from psycopg2 import sql

from common.postgres.copying import transfer
from common.postgres.database import Session
from common.postgres.settings.replication_role import define
from common.reports.sync import Changes
from db_sync.compare.outcomes import Replace
from db_sync.compare.ranges import Ranges
from db_sync.plan.tables import TablePlan
from db_sync.planner import tables_themselves
from db_sync.run import Run
from db_sync.statements import source_value, statement, target_value
from db_sync.write.staging import temporary


def create_tables(run: Run, replacements: Iterable[Replace]) -> None:
    """Create the temporary tables that `count_replaceable` fills."""
    for plan in _to_count(run, replacements):
        query = Ranges(plan).row_hashes(plan.target, target_value)
        _create(run.target, plan, sql.SQL("{} WITH NO DATA").format(query))


def note_target_rows(run: Run, replacements: Iterable[Replace]) -> None:
    """Note what the target holds before its rows are replaced."""
    for plan in _to_count(run, replacements):
        with run.step("count", plan), tables_themselves(run.target):
            _create(run.target, plan, Ranges(plan).row_hashes(plan.target, target_value))


def count_replaced(run: Run, replace: Replace, rows: int) -> Changes:
    """Return in how many rows a table differs from what was noted of it before.

    Args:
        run: the run.
        replace: the table.
        rows: how many it has now.
    """
    if not _may_share_rows(run, replace):
        return Changes(inserted=rows, deleted=replace.target_rows)
    plan = replace.plan
    after = Ranges(plan).row_hashes(plan.target, target_value)
    return _count(run.target, plan, before=_noted(plan), after=after)


def count_replaceable(run: Run, replace: Replace, rows: int) -> Changes:
    """Return in how many rows the target differs from the source, whose hashes are fetched.

    Args:
        run: the run.
        replace: the table.
        rows: how many the source has.
    """
    if not _may_share_rows(run, replace):
        return Changes(inserted=rows, deleted=replace.target_rows)
    plan = replace.plan
    hashes = Ranges(plan).row_hashes(plan.source, source_value)
    with tables_themselves(run.source):
        transfer(
            run.source,
            sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(hashes),
            run.target,
            sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(_tally_of(plan)),
        )
    before = Ranges(plan).row_hashes(plan.target, target_value)
    return _count(run.target, plan, before=before, after=_noted(plan))


def _to_count(run: Run, replacements: Iterable[Replace]) -> Iterator[TablePlan]:
    """Yield the tables whose rows are told apart."""
    return (replace.plan for replace in replacements if _may_share_rows(run, replace))


def _may_share_rows(run: Run, replace: Replace) -> bool:
    """Return whether both sides may share rows, and have few enough to tell them apart."""
    return bool(replace.about_rows) and 0 < replace.target_rows <= run.tuning.max_rows_counted


def _create(target: Session, plan: TablePlan, query: sql.Composable) -> None:
    create = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {}")
    define(target, create.format(_tally_of(plan), query))


def _count(
    target: Session, plan: TablePlan, *, before: sql.Composable, after: sql.Composable
) -> Changes:
    name = "write/count_replaced_rows" if plan.has_key else "write/count_replaced_duplicates"
    return Changes(*map(int, target.row(statement(name, {"before": before, "after": after}))))


def _noted(plan: TablePlan) -> sql.Composable:
    return sql.SQL("SELECT identity, hash FROM {}").format(_tally_of(plan))


def _tally_of(plan: TablePlan) -> sql.Identifier:
    return temporary("tally", plan)

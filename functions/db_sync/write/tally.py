"""In how many rows a table that is copied whole differs, counted by the rows' hashes.

Its rows are all written anew, some of which may be as they were. Of a large table all rows count
as different, as most of them are.
"""

from collections.abc import Iterable

from psycopg2 import sql

from common.postgres.copying import transfer
from common.postgres.database import Session
from common.postgres.settings.replication_role import define
from db_sync.compare.planner import tables_themselves
from db_sync.compare.ranges import Ranges
from db_sync.compare.tables import Difference
from db_sync.plan.tables import TablePlan
from db_sync.result import Changes
from db_sync.run import Run
from db_sync.statements import source_value, statement, target_value
from db_sync.write.merge import temporary

# Of more rows it would take half as long as to copy them.
MANY_ROWS = 100_000


def create_tables(target: Session, differences: Iterable[Difference]) -> None:
    """Create the temporary tables that `count_replaceable` fills."""
    for difference in filter(_may_share_rows, differences):
        query = Ranges(difference.plan).row_hashes(difference.plan.target, target_value)
        _create(target, difference.plan, sql.SQL("{} WITH NO DATA").format(query))


def note_target_rows(run: Run, differences: Iterable[Difference]) -> None:
    """Note what the target holds before its rows are replaced."""
    for difference in filter(_may_share_rows, differences):
        plan = difference.plan
        run.limit(f"the rows of {plan.name} were noted")
        with run.timed("count", plan.name), tables_themselves(run.target):
            _create(run.target, plan, Ranges(plan).row_hashes(plan.target, target_value))


def count_replaced(target: Session, difference: Difference, moved: int) -> Changes:
    """Return in how many rows the target, which was replaced, differs from what was noted of it.

    Args:
        target: the session.
        difference: the table.
        moved: how many rows it has now.
    """
    if not _may_share_rows(difference):
        return Changes(inserted=moved, deleted=difference.target_rows)
    plan = difference.plan
    after = Ranges(plan).row_hashes(plan.target, target_value)
    return _count(target, plan, before=_noted(plan), after=after)


def count_replaceable(run: Run, difference: Difference, moved: int) -> Changes:
    """Return in how many rows the target differs from the source, whose hashes are fetched.

    Args:
        run: the run.
        difference: the table.
        moved: how many rows the source has.
    """
    if not _may_share_rows(difference):
        return Changes(inserted=moved, deleted=difference.target_rows)
    plan = difference.plan
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


def _may_share_rows(difference: Difference) -> bool:
    """Return whether rows may be the same that are to be told apart."""
    return bool(difference.about_rows) and 0 < difference.target_rows <= MANY_ROWS


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

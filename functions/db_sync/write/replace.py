"""Tables that are copied whole: emptied, filled, and their indexes built after that."""

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.postgres.copying import Transferred
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.settings.function_names import names_for_definitions, names_for_writing
from db_sync.compare import fingerprint
from db_sync.compare.planner import tables_themselves
from db_sync.compare.ranges import Ranges
from db_sync.compare.tables import Difference
from db_sync.compare.verify import failure
from db_sync.plan.catalog import table_rows
from db_sync.plan.tables import TablePlan
from db_sync.result import Changes
from db_sync.run import Run, converting
from db_sync.statements import names
from db_sync.write import tally
from db_sync.write.copy_rows import copy_rows
from db_sync.write.indexes import create_indexes, drop_indexes

# Of fewer rows, indexes are kept up as quickly as they are built.
MANY_ROWS = 10_000


def copy_tables(
    run: Run, differences: list[Difference], keys: list[ForeignKey]
) -> list[tuple[Difference, Transferred, Changes]]:
    """Replace the rows of tables by the source's.

    Args:
        run: the run.
        differences: the tables.
        keys: the foreign keys that are in place.

    Returns:
        For each table what travelled, and in how many rows the sides differed.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row does not fit.
    """
    tally.note_target_rows(run, differences)
    truncated = _empty(run, differences, keys)
    with tables_themselves(run.source):
        return [
            _copy(run, difference, is_truncated=difference in truncated)
            for difference in run.each("copy", differences)
        ]


def _empty(run: Run, differences: list[Difference], keys: list[ForeignKey]) -> list[Difference]:
    """Remove all rows, in one TRUNCATE and never CASCADE; return the tables that it emptied.

    It refuses a table that a foreign key of another one points to: those are deleted from. So are
    those of which a subscriber would not be told.
    """
    told = [each for each in differences if not each.plan.target.publications.hides_truncate]
    truncated = _without_referenced(told, keys)
    with names_for_writing(run.target):
        if truncated:
            tables = [table_rows(difference.plan.target) for difference in truncated]
            run.target.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(tables)))
        for difference in differences:
            if difference not in truncated and difference.target_rows:
                rows = table_rows(difference.plan.target)
                run.target.execute(sql.SQL("DELETE FROM {}").format(rows))
    return truncated


def _without_referenced(differences: list[Difference], keys: list[ForeignKey]) -> list[Difference]:
    """Return the tables that no foreign key points to but those of other ones of them."""
    while True:
        oids = {difference.plan.target.oid for difference in differences}
        referenced = {key.parent_root for key in keys if key.child_root not in oids}
        left = [each for each in differences if each.plan.target.oid not in referenced]
        if len(left) == len(differences):
            return left
        differences = left


def _copy(
    run: Run, difference: Difference, *, is_truncated: bool
) -> tuple[Difference, Transferred, Changes]:
    """Fill an empty table, build its indexes and verify it."""
    plan = difference.plan
    path = plan.target.function_path
    run.limit(f"{plan.name} was copied")
    with run.timed("copy", plan.name), converting(plan):
        # By our own search path: in another's a temporary table may be named like the catalog.
        indexes = drop_indexes(run.target, plan) if difference.about_rows > MANY_ROWS else []
        with names_for_writing(run.target, path):
            moved = copy_rows(
                run,
                difference.ranges,
                None,
                plan.name.identifier,
                # PostgreSQL refuses it for a partitioned table.
                is_frozen=is_truncated and not plan.target.is_partitioned,
            )
    run.limit(f"the indexes of {plan.name} were built, and it was verified")
    whole = Ranges(plan)
    with fingerprint.of_source(run.source, whole) as ours:  # meanwhile
        with run.timed("index", plan.name), names_for_definitions(run.target, path):
            create_indexes(run.target, plan, indexes)
            _analyze(run.target, plan)
        with (
            run.timed("verify", plan.name),
            tables_themselves(run.target),
            fingerprint.of_target(run.target, whole) as theirs,
        ):
            if fingerprint.compare(ours, theirs).dirty_count:
                raise failure(run, plan, ["its rows"])
    with run.timed("count", plan.name):
        return difference, moved, tally.count_replaced(run.target, difference, moved.rows)


def _analyze(target: Session, plan: TablePlan) -> None:
    """Let the planner know the new rows.

    From PostgreSQL 17 on ANALYZE finds nothing but pg_catalog's names. What an index computes is
    left out where that is not enough: no ANALYZE of anybody's can do it.
    """
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

"""Making one table of the target equal to the source's, writing only the rows that differ.

The source's rows of the ranges that differ are staged in a temporary table and compared with
the target's. Those that differ are deleted and inserted anew: unlike an UPDATE, that lets
unique values change places between rows. Columns that belong to the target are carried over.
"""

from dataclasses import dataclass

from psycopg2 import sql

from common.database import Session
from common.unlink import unlinked_value
from db_sync.compare import Difference
from db_sync.load import copy_rows
from db_sync.plan import PlannedColumn, TablePlan
from db_sync.run import Run
from db_sync.statements import Parts, names, same_key, statement, table_rows, target_value
from db_sync.transfer import Transferred

# Cast, since PostgreSQL takes two bare ROWs apart and wants the operator for each column.
DIFFERS = "ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record"
ALL_ROWS = sql.SQL("(VALUES (0)) r (number)")
NEW, EXISTED = sql.SQL("IS NULL"), sql.SQL("IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were written (or would be, in a dry run)."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unlinked: int = 0


def create_stage(target: Session, plan: TablePlan) -> None:
    """Create the temporary table that the source's rows go to; without constraints."""
    target.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        ).format(_temporary("stage", plan), names(_copied_names(plan)), plan.name.identifier)
    )


def fill_stage(run: Run, difference: Difference) -> Transferred:
    """Copy the source's rows of the ranges that differ."""
    stage = _temporary("stage", difference.plan)
    moved = copy_rows(run, difference.ranges, difference.numbers, stage)
    run.target.execute(sql.SQL("ANALYZE {}").format(stage))
    return moved


def count_changes(target: Session, difference: Difference) -> Changes:
    """Return what a merge would write, without writing."""
    return Changes(*target.row(statement("count_changes", _parts(difference))))


def find_changes(target: Session, difference: Difference) -> None:
    """Note which rows of the stage the target lacks or has otherwise."""
    target.execute(statement("find_changes", _parts(difference)))
    target.execute(sql.SQL("ANALYZE {}").format(_temporary("changes", difference.plan)))


def delete_rows(target: Session, difference: Difference) -> int:
    """Delete the rows that the source lacks, and those that are inserted anew.

    Returns:
        How many the source lacks.
    """
    parts = _parts(difference)
    gone = target.execute(statement("delete_gone_rows", parts))
    target.execute(statement("delete_changed_rows", parts))
    return gone


def insert_rows(target: Session, difference: Difference, deleted: int) -> Changes:
    """Insert the rows that changed and those that are new; return all that a merge wrote."""
    plan, parts = difference.plan, _parts(difference)
    unlinked = sum(_unlink(target, parts, column) for column in plan.kept if column.is_unique)
    updated = _insert(target, parts, EXISTED, _copied_names(plan) + list(plan.own))
    inserted = _insert(target, parts, NEW, _copied_names(plan))
    target.execute(statement("drop_stage", parts))
    return Changes(inserted, updated, deleted, unlinked)


def _insert(target: Session, parts: Parts, which: sql.SQL, columns: list[str]) -> int:
    return target.execute(
        statement("insert_rows", {**parts, "which": which, "into": names(columns)})
    )


def _unlink(target: Session, parts: Parts, column: PlannedColumn) -> int:
    """Take a kept, unique value from rows that stay where a new row brings it; count them.

    A row that stays is in the target, or is about to be inserted anew.
    """
    unlinked = unlinked_value(is_required=column.is_required, base_type=column.base_type)
    parts = {**parts, "column": sql.Identifier(column.name), "unlinked": unlinked}
    existed = sql.SQL("staging_sync_row IS NOT NULL")
    return sum(
        target.execute(statement("unlink_kept_values", {**parts, "in_table": rows, "which": which}))
        for rows, which in ((parts["rows"], sql.SQL("true")), (parts["changes"], existed))
    )


def _parts(difference: Difference) -> Parts:
    """Return the names that the statements above use; `t` is the target, `s` the stage."""
    plan = difference.plan
    compared = [column.name for column in plan.compared]
    values = [sql.SQL("s.{0} AS {0}").format(sql.Identifier(name)) for name in compared]
    kept = [column.name for column in plan.kept]
    values += [
        sql.SQL(
            "CASE WHEN t.ctid IS NULL THEN s.{0} ELSE t.{0} END AS {0}"
            if name in kept
            else "t.{0} AS {0}"
        ).format(sql.Identifier(name))
        for name in [*kept, *plan.own]
    ]
    return {
        "table": plan.name.identifier,
        "rows": table_rows(plan.target),
        "stage": _temporary("stage", plan),
        "changes": _temporary("changes", plan),
        "same_key": same_key(plan, "s", "t"),
        "differs": sql.SQL(DIFFERS).format(names(compared, "t"), names(compared, "s")),
        "values": sql.SQL(", ").join(values),
        **_range_parts(difference),
    }


def _range_parts(difference: Difference) -> Parts:
    """Return the ranges that differ, and the rows of the target that may equal a staged one's key.

    Those lie in the same ranges only where these are ranges of values: two keys that are equal
    and not identical ('A' and 'a' in citext) hash differently.
    """
    ranges, rows = difference.ranges, table_rows(difference.plan.target)
    if difference.numbers is None:
        return {"ranges": ALL_ROWS, "in_a_range": sql.SQL("true"), "in_ranges": rows}
    listed, in_a_range = ranges.listed(difference.numbers), ranges.contain(target_value)
    in_ranges = sql.SQL("(SELECT t.tableoid, t.ctid, t.* FROM {} JOIN {} t ON {})").format(
        listed, rows, in_a_range
    )
    return {
        "ranges": listed,
        "in_a_range": in_a_range,
        "in_ranges": rows if ranges.shift is None else in_ranges,
    }


def _copied_names(plan: TablePlan) -> list[str]:
    """Return the columns whose values the source sends."""
    return [column.name for column in plan.compared + plan.kept]


def _temporary(what: str, plan: TablePlan) -> sql.Identifier:
    """Return a temporary table's name, by the table's oid: those of all tables exist at once."""
    return sql.Identifier("pg_temp", f"staging_sync_{what}_{plan.target.oid}")

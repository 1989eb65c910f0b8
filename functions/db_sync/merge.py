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
from db_sync.load import copy_rows, dirty_ranges
from db_sync.plan import PlannedColumn, TablePlan
from db_sync.statements import Parts, names, same_key, statement, table_rows, target_value
from db_sync.transfer import Transferred

STAGE = "staging_sync_stage"
CHANGES = sql.Identifier("pg_temp", "staging_sync_changes")
RANGES = sql.Identifier("pg_temp", "staging_sync_ranges")

# Cast, since PostgreSQL takes two bare ROWs apart and wants the operator for each column.
DIFFERS = "ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record"


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were written (or would be, in a dry run)."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unlinked: int = 0


def create_ranges(target: Session) -> None:
    """Create the temporary table that says which ranges of a table differ."""
    target.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} (number bigint, low bigint, high bigint)").format(RANGES)
    )


def create_stage(target: Session, plan: TablePlan) -> None:
    """Create the temporary table that the source's rows go to; without constraints."""
    target.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
            _stage(plan), names(_copied_names(plan)), plan.name.identifier
        )
    )


def fill_stage(source: Session, target: Session, difference: Difference) -> Transferred:
    """Name the ranges that differ to the target, and copy the source's rows of them."""
    target.execute(sql.SQL("DELETE FROM {}").format(RANGES))
    target.execute(
        sql.SQL("INSERT INTO {} SELECT * FROM {}").format(RANGES, dirty_ranges(difference))
    )
    moved = copy_rows(source, target, difference, _stage(difference.plan))
    target.execute(sql.SQL("ANALYZE {}, {}").format(RANGES, _stage(difference.plan)))
    return moved


def count_changes(target: Session, difference: Difference) -> Changes:
    """Return what `apply_changes` would write, without writing."""
    return Changes(*target.row(statement("count_changes", _parts(difference))))


def apply_changes(target: Session, difference: Difference) -> Changes:
    """Write the rows of the stage that differ, delete those that it lacks."""
    plan, parts = difference.plan, _parts(difference)
    target.execute(statement("find_changes", parts))
    target.execute(sql.SQL("ANALYZE {}").format(CHANGES))
    deleted = target.execute(statement("delete_gone_rows", parts))
    target.execute(statement("delete_changed_rows", parts))
    unlinked = sum(_unlink(target, parts, column) for column in plan.kept if column.is_unique)
    updated = _insert(target, parts, "", _copied_names(plan) + list(plan.own))
    inserted = _insert(target, parts, "NOT", _copied_names(plan))
    target.execute(sql.SQL("DROP TABLE {}, {}").format(_stage(plan), CHANGES))
    return Changes(inserted, updated, deleted, unlinked)


def _insert(target: Session, parts: Parts, which: str, columns: list[str]) -> int:
    return target.execute(
        statement("insert_rows", {**parts, "which": sql.SQL(which), "into": names(columns)})
    )


def _unlink(target: Session, parts: Parts, column: PlannedColumn) -> int:
    """Take a kept, unique value from rows that stay where a new row brings it; count them.

    A row that stays is in the target, or is about to be inserted anew.
    """
    unlinked = unlinked_value(is_required=column.is_required, base_type=column.base_type)
    parts = {**parts, "column": sql.Identifier(column.name), "unlinked": unlinked}
    existed = sql.SQL("staging_sync_existed")
    return sum(
        target.execute(statement("unlink_kept_values", {**parts, "in_table": rows, "which": which}))
        for rows, which in ((parts["rows"], sql.SQL("true")), (CHANGES, existed))
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
        "stage": _stage(plan),
        "changes": CHANGES,
        "ranges": RANGES,
        "in_a_range": in_a_range(difference),
        "same_key": same_key(plan, "s", "t"),
        "differs": sql.SQL(DIFFERS).format(names(compared, "t"), names(compared, "s")),
        "values": sql.SQL(", ").join(values),
    }


def in_a_range(difference: Difference) -> sql.Composable:
    """Return the condition that a row of the target is in the range `r`, one that differs."""
    if difference.dirty is None:
        return sql.SQL("true")  # the ranges table has one row, which stands for all
    return difference.ranges.contain(target_value)


def _copied_names(plan: TablePlan) -> list[str]:
    """Return the columns whose values the source sends."""
    return [column.name for column in plan.compared + plan.kept]


def _stage(plan: TablePlan) -> sql.Identifier:
    """Return the stage's name; by the table's oid, since a dry run creates all of them first."""
    return sql.Identifier("pg_temp", f"{STAGE}_{plan.target.oid}")

"""Making one table of the target equal to the source's, writing only the rows that differ.

The source's rows of the ranges that differ are staged in a temporary table and compared with
the target's. Those that differ are deleted and inserted anew: unlike an UPDATE, that lets
unique values change places between rows. Columns that belong to the target are carried over.
"""

from collections.abc import Sequence
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


def changes_any_of(target: Session, difference: Difference, columns: set[str | None]) -> bool:
    """Return whether a row of the target is to have another value in one of some columns.

    Args:
        target: the session that found the changes.
        difference: the table.
        columns: their names; None stands for any.
    """
    compared = [column.name for column in difference.plan.compared]
    if None not in columns:
        compared = [name for name in compared if name in columns]
    differs = _differs("t", "c", compared)
    return bool(
        target.row(statement("changes_any_of", {**_parts(difference), "differs": differs}))[0]
    )


def delete_rows(target: Session, difference: Difference, *, in_place: bool) -> int:
    """Delete the rows that the source lacks; return how many.

    Unless rows are changed `in_place`, also delete those that change.
    """
    parts = _parts(difference)
    gone = target.execute(statement("find_gone_rows", parts))
    if gone:
        target.execute(statement("delete_gone_rows", parts))
    if not in_place:
        target.execute(statement("delete_changed_rows", parts))
    return gone


def write_rows(target: Session, difference: Difference, deleted: int, *, in_place: bool) -> Changes:
    """Change the rows that were there (or insert them anew) and insert those that are new.

    Returns:
        All that the merge wrote, together with `deleted`.
    """
    plan, parts = difference.plan, _parts(difference)
    updated = 0
    if in_place and _updated_names(plan):
        updated = target.execute(statement("update_changed_rows", parts))
    sent = set(_copied_names(plan))
    unlinked = sum(
        _unlink(target, parts, column, key, in_place=in_place)
        for column in plan.kept
        for key in column.unique_keys
        if sent.issuperset(key)  # what a new row has in other columns is not known yet
    )
    if not in_place:
        updated = _insert(target, parts, EXISTED, _copied_names(plan) + list(plan.own))
    inserted = _insert(target, parts, NEW, _copied_names(plan))
    target.execute(statement("drop_stage", parts))
    return Changes(inserted, updated, deleted, unlinked)


def _insert(target: Session, parts: Parts, which: sql.SQL, columns: list[str]) -> int:
    return target.execute(
        statement("insert_rows", {**parts, "which": which, "into": names(columns)})
    )


def _unlink(
    target: Session,
    parts: Parts,
    column: PlannedColumn,
    key: Sequence[str],
    *,
    in_place: bool,
) -> int:
    """Take a kept, unique value from rows that stay where a new row brings it; count them.

    A row that stays is in the target, or is about to be inserted anew.

    Args:
        target: the session.
        parts: the table's.
        column: the kept column.
        key: the columns that are unique together; it is one of them.
        in_place: whether rows that change are so already.
    """
    unlinked = unlinked_value(is_required=column.is_required, base_type=column.base_type)
    parts = {
        **parts,
        "column": sql.Identifier(column.name),
        "unlinked": unlinked,
        "key": names(key),
        "key_of_new": names(key, "c"),
    }
    stay = [(parts["rows"], sql.SQL("true"))]
    if not in_place:
        stay.append((parts["changes"], sql.SQL("staging_sync_row IS NOT NULL")))
    return sum(
        target.execute(statement("unlink_kept_values", {**parts, "in_table": rows, "which": which}))
        for rows, which in stay
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
        "gone": _temporary("gone", plan),
        "same_key": same_key(plan, "s", "t"),
        "differs": _differs("t", "s", compared),
        "columns": names(_updated_names(plan)),
        "new_values": names(_updated_names(plan), "c"),
        "values": sql.SQL(", ").join(values),
        **_range_parts(difference),
    }


def _differs(left: str, right: str, columns: list[str]) -> sql.Composable:
    return sql.SQL(DIFFERS).format(names(columns, left), names(columns, right))


def _range_parts(difference: Difference) -> Parts:
    """Return the keys of the target's rows in the ranges that differ, and where those rows are.

    And the rows that staged ones may equal. They lie in the same ranges only where these are
    ranges of values: two keys that are equal and not identical ('A' and 'a' in citext) hash
    differently.
    """
    ranges, table = difference.ranges, difference.plan.target
    in_ranges = ranges.rows(table, target_value, difference.numbers)
    return {
        # OFFSET 0 keeps the planner from comparing with the whole stage for each range anew.
        "keys_in_ranges": sql.SQL(
            "(SELECT t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row, {} FROM {}"
            " OFFSET 0)"
        ).format(names(table.key, "t"), in_ranges),
        "candidates": (
            table_rows(table)
            if ranges.shift is None or difference.numbers is None
            else sql.SQL("(SELECT t.* FROM {})").format(in_ranges)
        ),
    }


def _updated_names(plan: TablePlan) -> list[str]:
    """Return the columns that an UPDATE sets: PostgreSQL refuses identities always generated.

    Those are as they should be; see `order.keys_in_the_way`.
    """
    columns = plan.target.columns
    return [column.name for column in plan.compared if not columns[column.name].is_always_generated]


def _copied_names(plan: TablePlan) -> list[str]:
    """Return the columns whose values the source sends."""
    return [column.name for column in plan.compared + plan.kept]


def _temporary(what: str, plan: TablePlan) -> sql.Identifier:
    """Return a temporary table's name, by the table's oid: those of all tables exist at once."""
    return sql.Identifier("pg_temp", f"staging_sync_{what}_{plan.target.oid}")
